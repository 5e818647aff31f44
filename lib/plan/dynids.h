/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-pci's dynamic IDs: which are needed, and what has to be done for them. Inside of the plan.
 */
#pragma once

#include "plan/builder.h"

/* Did one of our entries give the device to vfio-pci when it was plugged in, and has no plan
 * confirmed yet that it belongs there? */
bool plan_is_caught(const struct builder *b, const struct device *d);

/* Adds the actions that bring the dynamic IDs into vfio-pci's table. */
void plan_add_dynids(struct builder *b);

/* Says for each verdict whether the dynamic IDs work for this device. */
void plan_judge_dynids(struct builder *b);
