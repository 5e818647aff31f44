/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-pci's dynamic IDs: which ones are needed, and the actions that add and remove them. Internal
 * to the plan. */
#pragma once

#include "plan/builder.h"

/* Was the device bound to vfio-pci by one of our entries when it was plugged in, and has no plan
 * confirmed yet that it belongs there? */
bool plan_is_caught(const struct builder *b, const struct device *d);

/* Adds the actions that update vfio-pci's table. */
void plan_add_dynids(struct builder *b);

/* Sets for each verdict whether dynamic IDs work for its device. */
void plan_judge_dynids(struct builder *b);
