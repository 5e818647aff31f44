/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: a selection of devices in terms of the policy. Pure. */
#pragma once

#include "policy/policy.h"

/* Values in the form of the policy's keys; "": any. */
struct selection {
    char id[12]; /* "10de:20f1" or "10de:*" */
    char subsystem[12];
    char class[8];
    char address[40]; /* one pattern */
    char driver[56];
};

/* A rule that expresses it. */
struct saying {
    const char *name;
    const struct selection *what;
    const char *addresses; /* a list that replaces what->address; NULL: none */
    const char *ids;       /* a list that replaces what->id; NULL: none */
    bool matched;          /* group = matched */
};

/* Writes its section. */
void saying_write(const struct saying *s, FILE *f);

/* Makes a policy with only this rule. Returns 0, -ENOMEM, or -EINVAL with the parser's message in
 * *ret_why (malloc'ed, or NULL when out of memory). Call policy_done() in any case. */
int saying_parse(const struct saying *s, struct policy *ret, char **ret_why);
