/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes out of a report what belongs to nobody else, so that the answers stay the same: each serial
 * number becomes another one, always the same, and patterns of serial numbers in the policy become
 * lists of those that they matched. Host names become
 * one word, and of mounted folders only the usual ones keep their names. */
#pragma once

#include "model/snapshot.h"

struct redaction {
    char *host; /* NULL: none known */
    char **serials;
    size_t n, allocated;
    const struct snapshot *snapshot;
};

/* Returns 0 or -ENOMEM. */
int redact_init(struct redaction *r, const struct snapshot *s, const char *host);
void redact_done(struct redaction *r);

/* Any text, malloc'ed; NULL when out of memory. */
char *redact_text(struct redaction *r, const char *text);

/* A policy file's text: comments go, too; lines keep their numbers. */
char *redact_policy(struct redaction *r, const char *text);
