/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be done, from the verdicts. Inside of the plan. */
#pragma once

#include "plan/builder.h"

/* Adds the actions that the verdicts call for, in their order. */
void plan_add_actions(struct builder *b);
