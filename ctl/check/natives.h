/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the native drivers of devices that vfio-bindd takes, according to the kernel's tables. */
#pragma once

#include "check/findings.h"

struct native {
    char *module;          /* with '_' instead of '-' */
    const struct row *row; /* the first device that it would bind */
    bool builtin;
    bool needed; /* it also drives another device of this host, which is not taken */
    bool early;  /* found in the initramfs */
};

struct natives {
    struct native *v;
    size_t n, allocated;
};

/* Finds them for the running kernel. */
void natives_find(struct check *c, struct natives *ret);
void natives_done(struct natives *n);

/* Returns NULL if no native driver here has this module. `length` bytes of `module` count; '-'
 * equals '_'. */
struct native *natives_get(const struct natives *n, const char *module, size_t length);
