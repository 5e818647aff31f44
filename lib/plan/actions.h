/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the actions from the verdicts. Internal to the plan. */
#pragma once

#include "plan/builder.h"

/* Adds the actions that the verdicts call for, in their order. */
void plan_add_actions(struct builder *b);
