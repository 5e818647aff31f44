/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the facts come from: this host's files and /sys, another tree (--root DIR), a report
 * (--root FILE), or the daemon, here or on another host (-H). */
#pragma once

#include "source.h"

enum {
    SOURCE_DAEMON = 1 << 0,    /* ask the daemon, if this is its host */
    SOURCE_FILES = 1 << 1,     /* the policy's text is needed: -H cannot serve */
    SOURCE_BARE_TREE = 1 << 2, /* --root may be a tree without /sys: there are no devices then */
    SOURCE_LIVE = 1 << 3,      /* the daemon's word alone, as on another host */
    SOURCE_DYNIDS = 1 << 4,    /* the plan also has the entries in the table of dynamic IDs */
};

/* Reads everything and builds the rows. What is missing or wrong is said on standard error. Returns
 * 0, or an exit code. Call source_done() in any case. */
int source_open(const struct ctl *c, unsigned flags, struct source *ret);

/* Reads a file that may take the place of the main policy file. Returns 0 or an exit code. */
int source_read_policy(const char *path, char **ret, size_t *ret_size);

/* Puts such a file into the place of the main policy file and makes everything that depends on it
 * anew. Not where the daemon was asked, whose policy is another. Returns 0 or an exit code. */
int source_use_policy(struct source *s, const char *path);
