/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual functions: how many each physical one is to have, and when they are made, taken away, or
 * left to their native drivers. Inside of the plan; for nobody else. */
#pragma once

#include "plan/builder.h"

/* Judges physical functions; the devices have their verdicts already. */
void plan_judge_vfs(struct builder *b);

/* Adds the actions for them. */
void plan_add_vfs(struct builder *b);

/* Is it a virtual function that we made? */
bool plan_is_our_vf(const struct builder *b, const struct device *d);

/* Is it a virtual function that is about to vanish, or that no native driver could take now? Then
 * it is not handed back by itself. */
bool plan_vf_waits(const struct builder *b, const struct device *d);
