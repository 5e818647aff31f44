/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices the plan concerns: those that rules name, and those that come along. Inside of the
 * plan. */
#pragma once

#include "plan/builder.h"

/* Another function of the same card and IOMMU group that would have to come along, but must be
 * named by a rule itself, and is not. NULL: there is none. */
const struct device *plan_unnamed_function(const struct builder *b, const struct verdict *v);

/* Adds a verdict, still without judgement, for every device that a rule names or that comes along.
 */
void plan_select(struct builder *b);
