/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision: policy + snapshot + records -> what to do, and a verdict with a reason for every
 * device that a rule names. Pure: no file, clock, environment or logging. The same function makes
 * the status: the plan over the snapshot taken after everything was applied. */
#pragma once

#include "plan/plan.h"

/* The plan owns all that it holds: hot-plug may change the snapshot and the records under it, and a
 * reload the policy. A verdict's device may be gone by then: look it up by its address. Returns 0
 * or -ENOMEM. */
int plan_make(const struct policy *p, const struct snapshot *s, const struct records *r,
              struct plan *ret);
