/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the daemon is started again that ended before it was ready. Decides, and does nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What became of a start: 0 (it was told to stop), negative errno (it gave up), or this. */
#define TRY_DIED 1

struct tries {
    unsigned n;        /* starts that have ended */
    unsigned n_late;   /* of these, after the boot went on */
    bool boot_goes_on; /* it does not wait any more */
};

struct next_try {
    bool none;           /* whoever starts it now starts it in vain, or nobody wants it */
    uint64_t pause_usec; /* until the next */
};

/* A start has ended. */
struct next_try tries_next(struct tries *t, int result);
