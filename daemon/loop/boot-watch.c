/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/boot-watch.h"

#include <errno.h>
#include <sys/inotify.h>

#include "base/util.h"
#include "host/scan-host.h"
#include "record-file.h"

struct boot_watch {
    sd_event_source *source;
    boot_watch_over *over;
    void *userdata;
};

/* After an overflow the file may be among the lost events. The watch is not removed: trial-watch
 * uses the same folder, and after an event that only a removed watch wanted, sd-event (252) never
 * sleeps again. */
static int on_file(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
    const struct boot_watch *w = userdata;

    (void)source;
    if (event->mask & IN_Q_OVERFLOW || (event->len > 0 && streq(event->name, SCAN_BOOTED_FILE)))
        w->over(w->userdata);
    return 0;
}

int boot_watch_new(sd_event *event, int root_fd, boot_watch_over *over, void *userdata,
                   struct boot_watch **ret)
{
    CLEANUP_CLOSE int folder = record_file_folder(root_fd);
    struct boot_watch *w;
    int r;

    if (folder < 0)
        return folder;
    w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    *w = (struct boot_watch){.over = over, .userdata = userdata};
    r = sd_event_add_inotify_fd(event, &w->source, folder, IN_CREATE | IN_MOVED_TO, on_file, w);
    if (r < 0) {
        free(w);
        return r;
    }
    *ret = w;
    return 0;
}

void boot_watch_free(struct boot_watch *w)
{
    if (!w)
        return;
    sd_event_source_disable_unref(w->source);
    free(w);
}
