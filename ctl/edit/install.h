/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file atomically, and keeps its mode and owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ctl.h"

struct install {
    char path[512]; /* the file behind all symbolic links; set also on failure */
    char *before;   /* its contents when it was opened */
    size_t before_size;
    bool existed;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* Opens the file below the root, which need not exist, and checks whether it can be replaced.
 * Returns 0, -ENXIO (a link to /dev/null), or another negative errno. */
int install_open(const char *root, const char *name, struct install *ret);
void install_done(struct install *i);

/* Returns 0, -ESTALE (the file has changed since), or another negative errno. */
int install_replace(const struct install *i, const char *bytes, size_t size);

/* Removes the file. Returns the same. */
int install_remove(const struct install *i);

/* Prints the error and what to do about it. Returns EXIT_FAILURE. */
int install_complain(const struct ctl *c, const struct install *i, int error);
