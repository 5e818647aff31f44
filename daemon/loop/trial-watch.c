/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/trial-watch.h"

#include <errno.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "policy/parse.h"
#include "policy/trial.h"
#include "record-file.h"

struct trial_watch {
    const struct view *view;
    trial_over *over;
    void *userdata;
    sd_event_source *timer; /* owned by the loop */
};

static int on_trial_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct trial_watch *w = userdata;

    (void)source;
    (void)usec;
    if (w->view->policy.trial_until > 0)
        (void)w->over(w->userdata);
    return 0;
}

static int set_timer(const struct trial_watch *w, uint64_t seconds)
{
    int r = sd_event_source_set_time(w->timer, seconds * USEC_PER_SEC);

    return r < 0 ? r : sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* The end of the trial according to its file; if there is no file, one to two seconds from now. */
static uint64_t end_of_trial(const struct trial_watch *w)
{
    CLEANUP_FREE char *bytes = NULL;
    struct trial t;
    size_t size;

    if (rootfs_read_file(w->view->root_fd, TRIAL_PATH, POLICY_FILE_MAX, &bytes, &size) >= 0 &&
        trial_parse(bytes, size, &t) >= 0)
        return t.until;
    return seconds_since_power_on() + 2;
}

static int on_trial_folder(sd_event_source *source, const struct inotify_event *event,
                           void *userdata)
{
    const struct trial_watch *w = userdata;

    (void)source;
    if (event->mask & IN_Q_OVERFLOW || (event->len > 0 && streq(event->name, TRIAL_FILE)))
        return set_timer(w, end_of_trial(w));
    return 0;
}

int trial_watch(sd_event *event, const struct view *view, trial_over *over, void *userdata)
{
    CLEANUP_CLOSE int folder = record_file_folder(view->root_fd);
    sd_event_source *source;
    struct trial_watch *w = folder < 0 ? NULL : calloc(1, sizeof(*w));

    if (!w)
        return folder < 0 ? folder : -ENOMEM;
    *w = (struct trial_watch){view, over, userdata, NULL};
    int r = sd_event_add_time(event, &w->timer, CLOCK_BOOTTIME,
                              view->policy.trial_until * USEC_PER_SEC, 0, on_trial_time, w);
    if (r >= 0 && view->policy.trial_until == 0)
        r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_inotify_fd(event, &source, folder, IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
                                    on_trial_folder, w);
    if (r < 0) {
        sd_event_source_disable_unref(w->timer);
        free(w);
        return r;
    }
    (void)sd_event_source_set_destroy_callback(source, free);
    (void)sd_event_source_set_floating(source, true);
    (void)sd_event_source_set_floating(w->timer, true);
    sd_event_source_unref(source); /* now owned by the loop */
    sd_event_source_unref(w->timer);
    return 0;
}
