/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the rules that may concern a vendor:device without going through all rules: a device costs
 * the same with a thousand rules as with one. Pure. */
#pragma once

#include "policy/rule.h"

struct rule_index {
    const struct rule *rules; /* in the order in which they are tried */
    size_t n_rules;
    uint64_t *v; /* NULL: out of memory; then every rule is a candidate for every device */
    size_t n;
};

/* Makes the index, also again after the rules or their order have changed. *x is empty or an older
 * index. */
void rule_index_make(struct rule_index *x, const struct rule *rules, size_t n);
void rule_index_done(struct rule_index *x);

/* The rules whose IDs match, or that have no IDs, in the order in which they are tried. A rule may
 * appear twice. */
struct candidates {
    const struct rule_index *index;
    uint64_t key[3];
    size_t at[3];
};

/* If id.any_device: only the rules that match every device of the vendor. */
struct candidates candidates_of(const struct rule_index *x, struct id_pattern id);

/* NULL after the last. */
const struct rule *candidates_next(struct candidates *c);
