/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schedules another scan of the host if something could not be read. The delay doubles each time.
 * Once everything is known, there are no more scans. */
#pragma once

#include "loop/timer.h"

struct look_again {
    struct timer *timer;
    uint64_t delay_usec; /* the last delay; 0: everything is known */
};

/* `unknown`: something could not be read, so another scan is needed. If one is scheduled already,
 * its time does not change. */
void look_again_if(struct look_again *l, bool unknown);
