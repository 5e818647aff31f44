/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start/tries.h"

#include <errno.h>

#define AT_ONCE 3
#define PAUSE_USEC (10 * 1000ULL)
#define PAUSE_MAX_USEC (200 * 1000ULL)
#define LATE_PAUSE_USEC (1000 * 1000ULL)
#define LATE_PAUSE_MAX_USEC (20 * 1000 * 1000ULL)

/* Could the cause disappear by itself? */
static bool passes(int result)
{
    switch (result) {
    case TRY_DIED:
    case -EAGAIN:
    case -EINTR:
    case -EIO:
    case -EMFILE:
    case -ENFILE:
    case -ENOBUFS:
    case -ENOMEM:
    case -ENOSPC:
        return true;
    default:
        return false;
    }
}

static uint64_t growing(uint64_t first, uint64_t most, unsigned n)
{
    uint64_t usec = first;

    while (n-- > 0 && usec < most)
        usec *= 2;
    return usec < most ? usec : most;
}

/* While the boot waits, restarts are fast. Afterwards they must not cost much. */
struct next_try tries_next(struct tries *t, int result)
{
    t->n++;
    if (t->boot_goes_on)
        t->n_late++;
    if (!passes(result))
        return (struct next_try){.none = true};
    if (t->boot_goes_on)
        return (struct next_try){.pause_usec =
                                     growing(LATE_PAUSE_USEC, LATE_PAUSE_MAX_USEC, t->n_late - 1)};
    if (t->n <= AT_ONCE)
        return (struct next_try){0};
    return (struct next_try){.pause_usec = growing(PAUSE_USEC, PAUSE_MAX_USEC, t->n - AT_ONCE - 1)};
}
