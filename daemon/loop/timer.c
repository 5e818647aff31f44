/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define ACCURACY_USEC 1000

struct timer {
    sd_event_source *source;
    void (*over)(void *userdata);
    void *userdata;
};

static int on_timer_elapsed(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct timer *t = userdata;

    (void)source;
    (void)usec;
    t->over(t->userdata);
    return 0;
}

int timer_new(sd_event *event, void (*over)(void *userdata), void *userdata, struct timer **ret)
{
    struct timer *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    *t = (struct timer){.over = over, .userdata = userdata};
    int r = sd_event_add_time(event, &t->source, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_USEC,
                              on_timer_elapsed, t);
    if (r >= 0)
        r = sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
    if (r < 0) {
        timer_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

void timer_free(struct timer *t)
{
    if (!t)
        return;
    sd_event_source_disable_unref(t->source);
    free(t);
}

void timer_set(struct timer *t, uint64_t usec)
{
    if (!t)
        return;
    if (usec > 0)
        (void)sd_event_source_set_time(t->source, usec);
    (void)sd_event_source_set_enabled(t->source, usec > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

bool timer_is_set(const struct timer *t)
{
    return sd_event_source_get_enabled(t->source, NULL) > 0;
}
