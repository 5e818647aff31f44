/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the output. */
#pragma once

#include "import/rules.h"

struct import {
    struct found *found;
    const struct import_rules *rules;
    struct list verdicts; /* sentences about devices that would not be bound with these rules */
    struct list begin;    /* the commands that install the policy */
    struct list end;      /* the commands after all other steps */
    size_t n_rules;       /* without dropped rules */
    char sentence[160];
    bool has_policy; /* the host already has a policy */
    char target[64]; /* the file for the rules, below the root */
};

/* Writes only the rules: a policy without comments. */
void import_write_rules(const struct import_rules *r, FILE *f);

/* Write the policy with comments, and the steps; as text or as JSON. */
void import_write(const struct import *m, FILE *f);
void import_write_json(const struct import *m, FILE *f);

/* Calls `each` for each line of the steps, in order. */
typedef void import_each_step(void *userdata, const char *stage, const char *text);
void import_steps(const struct import *m, import_each_step *each, void *userdata);
