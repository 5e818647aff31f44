/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a daemon that ended before it was ready is started again. */
#include "unit.h"

#include <errno.h>

#include "start/tries.h"

#define MS 1000ULL

START_TEST(one_end)
{
    static const struct {
        struct tries before;
        int result;
        bool none;
        uint64_t pause_usec;
    } cases[] = {
        {{0, 0, false}, TRY_DIED, false, 0},
        {{2, 0, false}, TRY_DIED, false, 0},
        {{3, 0, false}, TRY_DIED, false, 10 * MS},
        {{4, 0, false}, TRY_DIED, false, 20 * MS},
        {{7, 0, false}, TRY_DIED, false, 160 * MS},
        {{8, 0, false}, TRY_DIED, false, 200 * MS},
        {{4000000000U, 0, false}, TRY_DIED, false, 200 * MS},
        /* The boot goes on: the first late end counts anew. */
        {{30, 0, true}, TRY_DIED, false, 1000 * MS},
        {{31, 1, true}, TRY_DIED, false, 2000 * MS},
        {{34, 4, true}, TRY_DIED, false, 16000 * MS},
        {{35, 5, true}, TRY_DIED, false, 20000 * MS},
        {{4000000000U, 4000000000U, true}, TRY_DIED, false, 20000 * MS},
        /* It said why. */
        {{0, 0, false}, -ENOMEM, false, 0},
        {{0, 0, false}, -EMFILE, false, 0},
        {{0, 0, false}, -EIO, false, 0},
        {{0, 0, true}, -EAGAIN, false, 1000 * MS},
        {{0, 0, false}, -EPERM, true, 0},
        {{0, 0, false}, -EBUSY, true, 0},
        {{0, 0, true}, -EPERM, true, 0},
        {{0, 0, false}, 0, true, 0},
        {{0, 0, true}, 0, true, 0},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct tries t = cases[i].before;
        struct next_try next = tries_next(&t, cases[i].result);

        ck_assert_msg(next.none == cases[i].none && next.pause_usec == cases[i].pause_usec,
                      "case %zu: none %d, %llu us", i, next.none,
                      (unsigned long long)next.pause_usec);
        ck_assert_uint_eq(t.n, cases[i].before.n + 1);
        ck_assert_uint_eq(t.n_late, cases[i].before.n_late + cases[i].before.boot_goes_on);
    }
}
END_TEST

/* Twenty crashes fit into a third of the usual boot-deadline. */
START_TEST(twenty_in_time)
{
    struct tries t = {0};
    uint64_t sum = 0;

    for (unsigned i = 0; i < 20; i++)
        sum += tries_next(&t, TRY_DIED).pause_usec;
    ck_assert_uint_le(sum, 10 * USEC_PER_SEC / 3);
}
END_TEST

UNIT_MAIN("tries", one_end, twenty_in_time)
