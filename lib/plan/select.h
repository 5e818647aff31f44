/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selects the devices of the plan: those that rules match, and those that come along. Internal to
 * the plan. */
#pragma once

#include "plan/builder.h"

/* Another function of the same card and IOMMU group that would have to come along, but needs a rule
 * of its own and has none. NULL: there is none. */
const struct device *plan_unnamed_function(const struct builder *b, const struct verdict *v);

/* Adds an empty verdict for every device that a rule matches or that comes along. */
void plan_select(struct builder *b);
