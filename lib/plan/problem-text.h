/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a bound device from being usable, in words. Pure. */
#pragma once

#include "plan/plan.h"

/* Why a bound device is not usable, and what to do about it; "" if nothing is known against it. */
void problem_sentence(const struct verdict *v, const struct snapshot *s,
                      char buf[static SENTENCE_MAX]);
