/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/moment.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define ACCURACY_USEC 1000

struct moment {
    sd_event_source *source;
    void (*over)(void *userdata);
    void *userdata;
};

static int on_moment_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct moment *m = userdata;

    (void)source;
    (void)usec;
    m->over(m->userdata);
    return 0;
}

int moment_new(sd_event *event, void (*over)(void *userdata), void *userdata, struct moment **ret)
{
    struct moment *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    *m = (struct moment){.over = over, .userdata = userdata};
    int r = sd_event_add_time(event, &m->source, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_USEC,
                              on_moment_over, m);
    if (r >= 0)
        r = sd_event_source_set_enabled(m->source, SD_EVENT_OFF);
    if (r < 0) {
        moment_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

void moment_free(struct moment *m)
{
    if (!m)
        return;
    sd_event_source_disable_unref(m->source);
    free(m);
}

void moment_set(struct moment *m, uint64_t usec)
{
    if (!m)
        return;
    if (usec > 0)
        (void)sd_event_source_set_time(m->source, usec);
    (void)sd_event_source_set_enabled(m->source, usec > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}
