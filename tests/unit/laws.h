/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold of any plan, stated apart from how lib/plan/plan.c comes to it. */
#pragma once

#include "plan/plan.h"

/* True if all of it holds; else `why` says what does not. */
bool laws_hold(const struct policy *p, const struct snapshot *s, const struct records *r,
               const struct plan *plan, char why[static 256]);
