/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/hotplug.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "loop/close-watch.h"
#include "loop/uevent-filter.h"

/* The number of events that are handled in one turn of the loop. A card that comes and goes all the
 * time must not keep the daemon from its other tasks and the watchdog. */
#define BATCH 64

struct hotplug {
    bool lost; /* the kernel has dropped events, and the queue is not empty yet */
    struct udev *udev;
    struct udev_monitor *monitor;
    sd_event_source *source;
    struct hotplug_handler handler;
    struct close_watch *closes;
};

void hotplug_free(struct hotplug *h)
{
    if (!h)
        return;
    close_watch_free(h->closes);
    sd_event_source_unref(h->source);
    udev_monitor_unref(h->monitor);
    udev_unref(h->udev);
    free(h);
}

/* Returns whether the event is of interest. None of these calls reads /sys: reading a device's
 * uevent file would block while its driver's remove() hangs. */
static bool give_event(const struct hotplug *h, struct udev_device *d)
{
    enum hotplug_action action;
    struct pci_addr a;

    if (uevent_is_iommu(udev_device_get_action(d), udev_device_get_subsystem(d),
                        udev_device_get_property_value(d, "DRIVER"))) {
        h->handler.iommu(h->handler.userdata);
        return true;
    }
    if (uevent_is_driver(udev_device_get_subsystem(d), udev_device_get_devpath(d))) {
        h->handler.driver(h->handler.userdata);
        return true;
    }
    if (!uevent_read(udev_device_get_action(d), udev_device_get_sysname(d),
                     udev_device_get_property_value(d, "SYNTH_UUID"),
                     udev_device_get_property_value(d, "ERROR_EVENT"), &action, &a))
        return false;
    h->handler.event(h->handler.userdata, action, a);
    return true;
}

/* Handles one event. Returns 1, 0 (there is none at the moment), or -EAGAIN to try again. */
static int take_one(struct hotplug *h, bool *any)
{
    errno = 0;
    struct udev_device *d = udev_monitor_receive_device(h->monitor);

    if (d) {
        *any = give_event(h, d) || *any;
        udev_device_unref(d);
        return 1;
    }
    if (errno == EAGAIN ||
        errno == 0) /* 0: an event that the filter's hash let through by chance */
        return 0;
    if (errno == EINTR)
        return -EAGAIN;
    h->lost = true;
    return errno == ENOBUFS ? -EAGAIN : 0;
}

/* After an overflow the kernel drops all events until the queue is empty, so it is emptied first.
 * If there is more than one batch, other event sources get their turns in between. */
static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct hotplug *h = userdata;
    bool any = false;
    int r = 1;

    (void)fd;
    (void)events;
    for (int i = 0; r != 0 && i < BATCH; i++)
        r = take_one(h, &any);
    const bool lost = r == 0 && h->lost;
    (void)sd_event_source_set_priority(source, r == 0 ? SD_EVENT_PRIORITY_IMPORTANT
                                                      : SD_EVENT_PRIORITY_NORMAL);
    if (r == 0)
        h->lost = false;
    if (any)
        close_watch_try(h->closes);
    if (any || lost)
        h->handler.drained(h->handler.userdata, lost);
    return 0;
}

static void on_closed(void *userdata, struct pci_addr a)
{
    const struct hotplug *h = userdata;

    h->handler.event(h->handler.userdata, HOTPLUG_DOUBT, a);
}

static void on_unseen(void *userdata)
{
    const struct hotplug *h = userdata;

    h->handler.doubt(h->handler.userdata);
}

static void on_all_closed(void *userdata)
{
    const struct hotplug *h = userdata;

    h->handler.drained(h->handler.userdata, false);
}

int hotplug_new(sd_event *event, const struct hotplug_handler *handler, struct hotplug **ret)
{
    struct hotplug *h = calloc(1, sizeof(*h));
    const struct close_watch_handler closes = {on_closed, on_unseen, on_all_closed, h};
    int r = -ENOMEM;

    if (!h)
        return -ENOMEM;
    h->handler = *handler;
    h->udev = udev_new();
    h->monitor = h->udev ? udev_monitor_new_from_netlink(h->udev, "kernel") : NULL;
    if (!h->monitor) {
        r = errno ? -errno : -ENOMEM;
        goto fail;
    }
    r = udev_monitor_filter_add_match_subsystem_devtype(h->monitor, "pci", NULL);
    if (r >= 0) /* drivers that come and go: the table of dynamic IDs is lost with vfio-pci */
        r = udev_monitor_filter_add_match_subsystem_devtype(h->monitor, "drivers", NULL);
    if (r >= 0) /* for virtio-iommu; the virtio bus has only few events, all of them at boot */
        r = udev_monitor_filter_add_match_subsystem_devtype(h->monitor, "virtio", NULL);
    if (r >= 0)
        r = udev_monitor_enable_receiving(h->monitor);
    if (r >= 0) /* without the filter, only more events are received */
        (void)uevent_filter(udev_monitor_get_fd(h->monitor));
    if (r >= 0)
        r = sd_event_add_io(event, &h->source, udev_monitor_get_fd(h->monitor), EPOLLIN,
                            on_readable, h);
    /* Writing the override of a plugged-in device races with the kernel's probe, so this has the
     * highest priority. */
    if (r >= 0)
        r = sd_event_source_set_priority(h->source, SD_EVENT_PRIORITY_IMPORTANT);
    if (r >= 0)
        r = close_watch_new(event, handler->root_fd, &closes, &h->closes);
    if (r < 0)
        goto fail;
    *ret = h;
    return 0;

fail:
    hotplug_free(h);
    return r;
}
