/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the native drivers of the devices that vfio-bindd takes, by the kernel's own tables. */
#pragma once

#include "check/findings.h"

struct native {
    char *module;          /* with '_' for '-' */
    const struct row *row; /* the first device that it would drive */
    bool builtin;
    bool needed; /* another device of this host, which is not taken, is on it */
    bool early;  /* found in the initramfs */
};

struct natives {
    struct native *v;
    size_t n, allocated;
};

/* Looks them up for the running kernel. */
void natives_find(struct check *c, struct natives *ret);
void natives_done(struct natives *n);

/* NULL: no module of this name is a native driver here. `length` bytes of `module` count; '-' is
 * the same as '_'. */
struct native *natives_get(const struct natives *n, const char *module, size_t length);
