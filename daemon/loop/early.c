/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/early.h"

#include <errno.h>
#include <syslog.h>

#include "base/util.h"
#include "loop/requests.h"
#include "tell/journal.h"

#define EARLY_SECONDS 5

struct early {
    struct view *view;
    bool gives_back, marked;
    sd_event_source *deadline;
    void (*late)(void *userdata);
    void *userdata;
};

static void leave_word(const struct early *e, bool ended)
{
    const struct early_pass pass = {.there = true,
                                    .ended = ended,
                                    .gave_back = e->gives_back,
                                    .policy = e->view->policy.digest};

    if (early_pass_write(e->view->root_fd, &pass) < 0)
        journal_plain(
            LOG_WARNING,
            "cannot write /run/vfio-bindd/initramfs: the daemon will not know about this pass");
}

static int on_time_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct early *e = userdata;

    (void)source;
    (void)usec;
    journal_plain(LOG_WARNING,
                  "the pass in the initramfs is not done after %d s: the boot continues",
                  EARLY_SECONDS);
    e->late(e->userdata);
    return 0;
}

int early_new(sd_event *event, struct view *view, bool gives_back, void (*late)(void *userdata),
              void *userdata, struct early **ret)
{
    struct early *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    *e = (struct early){.view = view, .gives_back = gives_back, .late = late, .userdata = userdata};
    int r = sd_event_add_time_relative(event, &e->deadline, CLOCK_MONOTONIC,
                                       EARLY_SECONDS * USEC_PER_SEC, 0, on_time_over, e);
    if (r < 0) {
        free(e);
        return r;
    }
    leave_word(e, false);
    *ret = e;
    return 0;
}

void early_free(struct early *e)
{
    if (!e)
        return;
    sd_event_source_disable_unref(e->deadline);
    free(e);
}

/* A native driver's remove() may block, so nothing is rebound here. Nor are dynamic IDs written:
 * until the daemon runs, nobody would hand back a disk of the host that appears after the pass. */
int early_plan(struct early *e)
{
    int r = view_plan(e->view);

    if (r >= 0 && e->gives_back && !e->marked) {
        e->marked = true;
        requests_mark_give_back(e->view);
        r = view_plan(e->view);
    }
    if (e->gives_back) /* and nothing is taken either */
        plan_leave_out(&e->view->plan, PHASE_OVERRIDE, PHASE_VFS);
    else
        plan_leave_out(&e->view->plan, PHASE_DYNIDS, PHASE_RELEASE);
    return r;
}

void early_ended(struct early *e)
{
    leave_word(e, true);
}

void early_take_again(struct view *view)
{
    const struct record_event bind = {.kind = RECORD_EVENT_BIND};
    struct early_pass seen = view->early;

    for (size_t i = 0; view->early.gave_back && i < view->snapshot.n; i++) {
        const struct device *d = &view->snapshot.devices[i];
        const struct record *r = records_find(&view->records, d->addr);
        if (r && record_is_released(r) && !d->use)
            records_apply(&view->records, d->addr, &bind);
    }
    seen.gave_back = false; /* from now on, only an administrator can have released a device */
    if (view->early.gave_back)
        (void)early_pass_write(view->root_fd, &seen);
}
