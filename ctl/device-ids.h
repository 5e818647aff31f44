/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IDs of devices, as a rule says them. */
#pragma once

#include "policy/policy.h"

/* "10de:20f1, 8086:10d3": of the marked devices, each ID once; malloc'ed, NULL when out of memory.
 * `in` is as long as the snapshot has devices. */
char *ids_of_marked(const struct snapshot *s, const bool *in);

/* Of the devices that come to this rule of the policy; "" if there is none. */
char *ids_of_rule(const struct snapshot *s, const struct policy *p, const struct rule *r);
