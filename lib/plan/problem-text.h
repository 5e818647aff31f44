/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about bound devices that are not usable. Pure. */
#pragma once

#include "plan/plan.h"

/* Why a bound device is not usable, and what to do about it; "" if there is no known problem. */
void problem_sentence(const struct verdict *v, const struct snapshot *s,
                      char buf[static SENTENCE_MAX]);
