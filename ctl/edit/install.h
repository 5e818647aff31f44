/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file whole or not at all, with the mode and the owner that it had. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ctl.h"

struct install {
    char path[512]; /* the file itself, behind all symbolic links; set also on failure */
    char *before;   /* what it held when it was opened */
    size_t before_size;
    bool existed;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* Looks at the file below the root, which need not exist, and whether it could be replaced. Returns
 * 0, -ENXIO (a link to /dev/null), or another negative errno. */
int install_open(const char *root, const char *name, struct install *ret);
void install_done(struct install *i);

/* Returns 0, -ESTALE (the file has changed since), or another negative errno. */
int install_replace(const struct install *i, const char *bytes, size_t size);

/* Removes the file. Returns the same. */
int install_remove(const struct install *i);

/* Says what went wrong with it, and what to do. Returns EXIT_FAILURE. */
int install_complain(const struct ctl *c, const struct install *i, int error);
