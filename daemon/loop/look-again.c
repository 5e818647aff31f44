/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/look-again.h"

#include "base/clock.h"

#define FIRST_USEC (500 * 1000)
#define LAST_USEC (60 * 1000000ULL)

void look_again_if(struct look_again *l, bool unknown)
{
    if (!unknown) {
        timer_set(l->timer, 0);
        l->delay_usec = 0;
        return;
    }
    if (timer_is_set(l->timer))
        return;
    l->delay_usec = l->delay_usec == 0 ? FIRST_USEC : 2 * l->delay_usec;
    if (l->delay_usec > LAST_USEC)
        l->delay_usec = LAST_USEC;
    timer_set(l->timer, now_usec() + l->delay_usec);
}
