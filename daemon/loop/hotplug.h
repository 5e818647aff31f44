/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's hot-plug events of PCI devices. They come directly from the kernel, since udevd may
 * not be running yet. A filter on the socket drops events of other devices, so that they do not
 * wake the daemon. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "loop/uevent.h"

struct hotplug_handler {
    /* Called for each event that is not synthetic (udevadm trigger). */
    void (*event)(void *userdata, enum hotplug_action action, struct pci_addr a);
    /* A driver has come or gone. */
    void (*driver)(void *userdata);
    /* The driver of a virtual IOMMU has begun to work. */
    void (*iommu)(void *userdata);
    /* A node was closed, and it is unknown which. */
    void (*doubt)(void *userdata);
    /* All queued events, or a batch of them, have been handled. `lost`: the kernel dropped events,
     * so everything must be read again. */
    void (*drained)(void *userdata, bool lost);
    void *userdata;
    int root_fd;
};

struct hotplug;

/* Starts to listen; events are queued from now on. Returns 0 or negative errno. */
int hotplug_new(sd_event *event, const struct hotplug_handler *handler, struct hotplug **ret);
void hotplug_free(struct hotplug *h);
