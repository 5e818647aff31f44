/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state in a sentence or two, and what to type next. */
#pragma once

#include "plan/counts.h"
#include "source.h"

struct summary {
    struct device_counts all, all_bound, all_usable; /* of the selected devices */
    size_t of_state[STATE_MAX];
    const struct row *worst; /* the most urgent device; NULL: none needs attention */
    bool mismatch;           /* a rule matches another number of devices than it expects */
    bool good;               /* the actual state is the one of the policy */
    char *sentence;
    char next[400];
};

/* Returns 0 or -ENOMEM. Call summary_done() in any case. */
int summary_make(const struct source *s, struct summary *ret);
void summary_done(struct summary *m);

/* The number of rules, from the daemon or from the files. */
size_t summary_rules(const struct source *s);
