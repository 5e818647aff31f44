/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line as words. Pure. */
#pragma once

#include <stddef.h>

struct cmdline {
    char **v;
    size_t n, allocated;
    char *text; /* what they point into */
};

/* Words are separated by blanks outside of double quotes, which are dropped. Takes over the text,
 * malloc'ed, also on failure; cmdline_done() is to be called in any case. Returns 0 or -ENOMEM. */
int cmdline_split(char *text, struct cmdline *ret);
void cmdline_done(struct cmdline *c);
