/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splits the kernel command line into words. Pure. */
#pragma once

#include <stddef.h>

struct cmdline {
    char **v;
    size_t n, allocated;
    char *text; /* owns the bytes that .v points into */
};

/* Splits the text at blanks outside of double quotes; the quotes are dropped. Takes ownership of
 * the text, which is malloc'ed, even on failure: always call cmdline_done(). Returns 0 or
 * -ENOMEM. */
int cmdline_split(char *text, struct cmdline *ret);
void cmdline_done(struct cmdline *c);
