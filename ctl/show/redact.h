/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes private data from a report without changing the answers: each serial number is replaced
 * by another one, always by the same, and patterns of serial numbers in the policy by lists of
 * those that they match. Host names become one word, and of mounted folders only the usual ones
 * keep their names. */
#pragma once

#include "model/snapshot.h"

struct redaction {
    char *host; /* NULL: not known */
    char **serials;
    size_t n, allocated;
    const struct snapshot *snapshot;
};

/* Returns 0 or -ENOMEM. */
int redact_init(struct redaction *r, const struct snapshot *s, const char *host);
void redact_done(struct redaction *r);

/* Any text, malloc'ed; NULL when out of memory. */
char *redact_text(struct redaction *r, const char *text);

/* The text of a policy file: comments are removed as well; lines keep their numbers. */
char *redact_policy(struct redaction *r, const char *text);
