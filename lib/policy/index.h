/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules may concern a vendor:device, without a look at all the others. Inside of policy.c. */
#pragma once

#include "policy/policy.h"

/* (Re)makes the index after the rules or their order have changed. Without memory for it every rule
 * is a candidate for everything. */
void policy_index(struct policy *p);

/* The rules whose IDs fit, or that have none, in the order in which they are tried; one may come
 * twice. */
struct candidates {
    const struct policy *policy;
    uint64_t key[3];
    size_t at[3];
};

/* any_device: the rules that fit every device of the vendor. */
struct candidates candidates_of(const struct policy *p, struct id_pattern id);

/* NULL after the last. */
const struct rule *candidates_next(struct candidates *c);
