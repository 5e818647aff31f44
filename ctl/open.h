/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the source of the facts: this host's files and /sys, another tree (--root DIR), a report
 * (--root FILE), or the daemon, here or on another host (-H). */
#pragma once

#include "source.h"

enum {
    SOURCE_DAEMON = 1 << 0,    /* ask the daemon, if it is the one of this host */
    SOURCE_FILES = 1 << 1,     /* the policy's text is needed, so -H is refused */
    SOURCE_BARE_TREE = 1 << 2, /* --root may be a tree without /sys; then there are no devices */
    SOURCE_LIVE = 1 << 3,      /* use the daemon's data alone, as for another host */
    SOURCE_DYNIDS = 1 << 4,    /* the plan includes entries in the table of dynamic IDs */
};

/* Reads everything and builds the rows. Errors are printed to standard error. Returns 0, or an exit
 * code. Call source_done() in any case. */
int source_open(const struct ctl *c, unsigned flags, struct source *ret);

/* Reads a file that may replace the main policy file. Returns 0 or an exit code. */
int source_read_policy(const char *path, char **ret, size_t *ret_size);

/* Replaces the main policy file by this one, and everything that depends on it. Not possible if the
 * daemon was asked, since it has another policy. Returns 0 or an exit code. */
int source_use_policy(struct source *s, const char *path);
