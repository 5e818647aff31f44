/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision: policy + snapshot + records -> actions, and a verdict with a reason for every
 * selected device. Pure: no files, clock, environment or logging. The same function computes the
 * status: it is the plan over the snapshot taken after all actions were carried out. */
#pragma once

#include "plan/plan.h"

/* The plan owns everything it holds: hot-plug may change the snapshot and the records, and a reload
 * the policy, while the plan is in use. A verdict's device may be gone by then: look it up by
 * address. Returns 0 or -ENOMEM. */
int plan_make(const struct policy *p, const struct snapshot *s, const struct records *r,
              struct plan *ret);
