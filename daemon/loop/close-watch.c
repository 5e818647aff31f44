/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/close-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

enum { GROUPS, DEVICES, FOLDERS };

static const char *const folders[FOLDERS] = {"dev/vfio", "dev/vfio/devices"};

struct close_watch {
    sd_event *event;
    int root_fd;
    struct close_watch_handler handler;
    sd_event_source *sources[FOLDERS];
};

/* Both calls check whether the name is that of a node: anybody may open and close /dev/vfio/vfio,
 * which is not. They return whether it is, or negative errno (unknown). */
static int tell_node_closed(const struct close_watch *w, const char *name)
{
    char path[NAME_MAX + 64], address[NAME_MAX + 1];
    struct pci_addr a;

    snprintf(path, sizeof(path), "sys/class/vfio-dev/%s/device", name);
    int r = rootfs_link_name(w->root_fd, path, address);
    if (r <= 0 || pci_addr_parse(address, &a) < 0)
        return fact_error(r);
    w->handler.closed(w->handler.userdata, a);
    return 1;
}

static int tell_group_closed(const struct close_watch *w, const char *name)
{
    const char *number = after_prefix(name, "noiommu-");
    char path[NAME_MAX + 64];
    const struct dirent *e;
    struct pci_addr a;
    int any = 0;
    CLEANUP(closedirp) DIR *dir;

    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/devices", number ? number : name);
    int r = rootfs_list(w->root_fd, path, &dir);
    if (r < 0)
        return fact_error(r);
    while ((r = rootfs_next(dir, &e)) > 0)
        if (pci_addr_parse(e->d_name, &a) == 0) {
            w->handler.closed(w->handler.userdata, a);
            any = 1;
        }
    return r < 0 ? r : any;
}

static int on_close(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
    struct close_watch *w = userdata;
    int folder = source == w->sources[GROUPS] ? GROUPS : DEVICES;
    int r = 0;

    if (event->mask & IN_IGNORED) { /* the folder is gone */
        w->sources[folder] = sd_event_source_disable_unref(w->sources[folder]);
        return 0;
    }
    if (event->mask & IN_Q_OVERFLOW)
        r = -EOVERFLOW;
    else if (event->len > 0)
        r = (folder == GROUPS ? tell_group_closed : tell_node_closed)(w, event->name);
    if (r < 0)
        w->handler.unseen(w->handler.userdata);
    if (r != 0)
        w->handler.done(w->handler.userdata);
    return 0;
}

void close_watch_try(struct close_watch *w)
{
    for (int i = 0; i < FOLDERS; i++) {
        CLEANUP_CLOSE int fd = -1;
        if (w->sources[i])
            continue;
        fd = rootfs_open(w->root_fd, folders[i], O_PATH | O_DIRECTORY);
        if (fd < 0)
            return; /* the second folder is in the first */
        (void)sd_event_add_inotify_fd(w->event, &w->sources[i], fd, IN_CLOSE_WRITE, on_close, w);
    }
}

int close_watch_new(sd_event *event, int root_fd, const struct close_watch_handler *handler,
                    struct close_watch **ret)
{
    struct close_watch *w = malloc(sizeof(*w));

    if (!w)
        return -ENOMEM;
    *w = (struct close_watch){.event = event, .root_fd = root_fd, .handler = *handler};
    close_watch_try(w);
    *ret = w;
    return 0;
}

void close_watch_free(struct close_watch *w)
{
    if (!w)
        return;
    for (int i = 0; i < FOLDERS; i++)
        sd_event_source_disable_unref(w->sources[i]);
    free(w);
}
