/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time in microseconds of CLOCK_MONOTONIC. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t now_usec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Seconds since the host was switched on, including time asleep (CLOCK_BOOTTIME). */
static inline uint64_t seconds_since_power_on(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec;
}
