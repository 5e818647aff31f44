/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of devices for which a policy is suggested, and the consequences for the host. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/snapshot.h"

struct suggest_kind {
    const char *name;  /* prefix of the names of its rules; NULL: GPUs and accelerators, which get a
                          rule for each model */
    const char *about; /* a comment, without '#': the consequences for the host */
    bool together;     /* one rule for all of them, by ID */
};

extern const struct suggest_kind suggest_kinds[];
extern const size_t n_suggest_kinds;

/* The kind of a device; NULL: none of them, or a bridge. */
const struct suggest_kind *suggest_kind_of(const struct device *d);
