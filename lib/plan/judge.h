/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdicts: how each device stands, and why. Inside of the plan. */
#pragma once

#include "plan/builder.h"

/* Judges all devices for which plan_select() has added a verdict. */
void plan_judge(struct builder *b);
