/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is assumed of a host on which vfio-bindd does not run, to plan for it all the same. Pure. */
#pragma once

#include "plan/plan.h"

/* Assumes that a device on a VFIO driver is really bound, and that drivers of the policy that are
 * not loaded can be loaded (the unit does so). Returns 0 or -ENOMEM. */
int plan_assume(const struct policy *p, struct snapshot *s, struct records *records);

/* Is the driver only assumed to be registered? */
bool plan_is_assumed(const struct registered *r);

/* The plan of the next boot, which knows less than a running host does: no native driver has a
 * device yet, and nothing is in use. Returns 0 or -ENOMEM. */
int plan_next_boot(const struct policy *p, const struct snapshot *s, struct plan *ret);
