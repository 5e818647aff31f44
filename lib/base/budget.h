/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rate limit: each operation spends part of a budget, which refills as time passes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

struct budget_limits {
    uint64_t most;       /* the size of the budget; a new one is full */
    uint64_t per_second; /* how fast it refills */
};

struct budget {
    uint64_t left;
    uint64_t seen_usec; /* 0: new */
};

/* Takes `cost` out of the budget, if that much is left. */
static inline bool budget_take(struct budget *b, const struct budget_limits *l, uint64_t cost,
                               uint64_t now_usec)
{
    uint64_t passed = now_usec - b->seen_usec, full = l->most * USEC_PER_SEC / l->per_second;

    if (b->seen_usec == 0 || passed >= full) {
        b->left = l->most;
        b->seen_usec = now_usec;
    } else {
        uint64_t more = passed * l->per_second / USEC_PER_SEC;
        b->left = b->left + more < l->most ? b->left + more : l->most;
        b->seen_usec +=
            more * USEC_PER_SEC / l->per_second; /* the remainder counts the next time */
    }
    if (b->left < cost)
        return false;
    b->left -= cost;
    return true;
}
