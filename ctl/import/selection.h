/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: which devices are meant, in the words of the policy. Pure. */
#pragma once

#include "policy/policy.h"

/* In the spelling of the policy's keys; "": any. */
struct selection {
    char id[12]; /* "10de:20f1" or "10de:*" */
    char subsystem[12];
    char class[8];
    char address[40]; /* one pattern */
    char driver[56];
};

/* A rule that says it. */
struct saying {
    const char *name;
    const struct selection *what;
    const char *addresses; /* in place of what->address: a list; NULL: none */
    const char *ids;       /* in place of what->id: a list; NULL: none */
    bool matched;          /* group = matched */
};

/* Writes its section. */
void saying_write(const struct saying *s, FILE *f);

/* Makes a policy of this rule alone. Returns 0, -ENOMEM, or -EINVAL with the parser's reason in
 * *ret_why (malloc'ed, or NULL when out of memory). policy_done() is to be called in any case. */
int saying_parse(const struct saying *s, struct policy *ret, char **ret_why);
