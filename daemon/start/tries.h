/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides when a daemon that exited before it was ready is started again. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The result of a start: 0 (it was told to stop), negative errno (it gave up), or this. */
#define TRY_DIED 1

struct tries {
    unsigned n;        /* number of starts that have ended */
    unsigned n_late;   /* those of them that ended after the boot went on */
    bool boot_goes_on; /* the boot no longer waits */
};

struct next_try {
    bool none;           /* another start would fail as well, or is not wanted */
    uint64_t pause_usec; /* time until the next start */
};

/* A start has ended. */
struct next_try tries_next(struct tries *t, int result);
