/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How things are, in a sentence or two, and what to type next. */
#pragma once

#include "source.h"

struct summary {
    size_t named, companions; /* selected devices: by a rule itself, and those that come along */
    size_t named_usable, companions_usable, bound;
    size_t group_members; /* companions of another slot than the device they come along with */
    size_t of_state[STATE_MAX];
    const struct row *worst; /* the first of those that need attention most; NULL: none does */
    bool mismatch;           /* a rule matches another number of devices than it expects */
    bool good;               /* all is as the policy says */
    char *sentence;
    char next[160];
};

/* Returns 0 or -ENOMEM. Call summary_done() in any case. */
int summary_make(const struct source *s, struct summary *ret);
void summary_done(struct summary *m);

/* The policy's number of rules, as the daemon has it or as the files say. */
size_t summary_rules(const struct source *s);
