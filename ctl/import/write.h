/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what it prints. */
#pragma once

#include "import/rules.h"

struct import {
    struct found *found;
    const struct import_rules *rules;
    struct list verdicts; /* what would not be bound with these rules, in sentences */
    struct list begin;    /* the commands that put the policy in place */
    struct list end;      /* and those after all steps */
    size_t n_rules;       /* those that are not dropped */
    char sentence[160];
    bool has_policy; /* the host has one already */
    char target[64]; /* where the rules go, below the root */
};

/* The rules alone: a policy without comments. */
void import_write_rules(const struct import_rules *r, FILE *f);

/* The policy with comments, and the steps; the same as JSON. */
void import_write(const struct import *m, FILE *f);
void import_write_json(const struct import *m, FILE *f);

/* The steps in their order: calls `each` for each line. */
typedef void import_each_step(void *userdata, const char *stage, const char *text);
void import_steps(const struct import *m, import_each_step *each, void *userdata);
