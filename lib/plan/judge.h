/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdicts: the state of each device, and the reason. Internal to the plan. */
#pragma once

#include "plan/builder.h"

/* Judges all devices for which plan_select() has added a verdict. */
void plan_judge(struct builder *b);

/* Does its rule have reset methods that have not been written yet? */
bool plan_is_reset_due(const struct verdict *v, const struct record *r);
