/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-pci's dynamic IDs: which are needed, and what has to be done for them. Inside of the plan.
 */
#pragma once

#include "plan/builder.h"

/* Adds the actions that bring the fence's entries into vfio-pci's table. */
void plan_add_fence(struct builder *b);

/* Notes for each verdict whether the fence works for this device. */
void plan_judge_fence(struct builder *b);
