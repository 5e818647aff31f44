/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdicts: how each device stands, and why. Inside of the plan. */
#pragma once

#include "plan/builder.h"

/* Judges all devices for which plan_select() has added a verdict. */
void plan_judge(struct builder *b);

/* Does its rule say how it is to be reset, and was that not written yet? */
bool plan_is_reset_due(const struct verdict *v, const struct record *r);
