/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assumptions for planning on a host where vfio-bindd does not run. Pure. */
#pragma once

#include "plan/plan.h"

/* Assumes that a device on a VFIO driver is fully bound, and that drivers which the policy names
 * but which are not loaded can be loaded (the unit loads them). Returns 0 or -ENOMEM. */
int plan_assume(const struct policy *p, struct snapshot *s, struct records *records);

/* Is the driver only assumed to be registered? */
bool plan_is_assumed(const struct registered *r);

/* Makes the plan of the next boot. Less is known then: no native driver has a device yet, and
 * nothing is in use. Returns 0 or -ENOMEM. */
int plan_next_boot(const struct policy *p, const struct snapshot *s, struct plan *ret);
