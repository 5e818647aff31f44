/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual functions: how many each physical function should have, and when they are created,
 * removed, or left to their native drivers. Internal to the plan. */
#pragma once

#include "plan/builder.h"

/* Judges physical functions. The devices must have their verdicts already. */
void plan_judge_vfs(struct builder *b);

/* Adds the actions for them. */
void plan_add_vfs(struct builder *b);

/* Is it a virtual function that we created? */
bool plan_is_our_vf(const struct builder *b, const struct device *d);

/* Is it a virtual function that is about to be removed, or that no native driver can take now? Then
 * it is not handed back on its own. */
bool plan_vf_waits(const struct builder *b, const struct device *d);
