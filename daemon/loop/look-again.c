/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/look-again.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_USEC (500 * 1000)
#define LAST_USEC (60 * 1000000ULL)

struct look_again {
    sd_event_source *timer;
    uint64_t delay_usec; /* the last delay; 0: everything is known */
    look_again_now *now;
    void *userdata;
};

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct look_again *l = userdata;

    (void)source;
    (void)usec;
    l->now(l->userdata);
    return 0;
}

int look_again_new(sd_event *event, look_again_now *now, void *userdata, struct look_again **ret)
{
    struct look_again *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return -ENOMEM;
    l->now = now;
    l->userdata = userdata;
    r = sd_event_add_time(event, &l->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_time, l);
    if (r >= 0)
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
    if (r < 0) {
        look_again_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void look_again_free(struct look_again *l)
{
    if (!l)
        return;
    sd_event_source_disable_unref(l->timer);
    free(l);
}

void look_again_if(struct look_again *l, bool unknown)
{
    if (!unknown) {
        (void)sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        l->delay_usec = 0;
        return;
    }
    if (sd_event_source_get_enabled(l->timer, NULL) > 0)
        return;
    l->delay_usec = l->delay_usec == 0 ? FIRST_USEC : 2 * l->delay_usec;
    if (l->delay_usec > LAST_USEC)
        l->delay_usec = LAST_USEC;
    (void)sd_event_source_set_time_relative(l->timer, l->delay_usec);
    (void)sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}
