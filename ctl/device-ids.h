/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IDs of devices, in the form of a rule. */
#pragma once

#include "policy/policy.h"

/* "10de:20f1, 8086:10d3": the IDs of the marked devices, without duplicates; malloc'ed, NULL when
 * out of memory. `in` is as long as the snapshot has devices. */
char *ids_of_marked(const struct snapshot *s, const bool *in);

/* The IDs of the devices that this rule of the policy decides about; "" if there are none. */
char *ids_of_rule(const struct snapshot *s, const struct policy *p, const struct rule *r);
