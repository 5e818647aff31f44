/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own hot-plug events of PCI devices. Straight from the kernel, since udevd may not
 * run yet; filtered in the socket, so that other devices' events do not wake us. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "loop/uevent.h"

struct hotplug_handler {
    /* One event. Not called for synthetic ones (udevadm trigger). */
    void (*event)(void *userdata, enum hotplug_action action, struct pci_addr a);
    /* A driver has come or gone. */
    void (*driver)(void *userdata);
    /* The driver of a virtual IOMMU has begun to work. */
    void (*iommu)(void *userdata);
    /* The events that were queued have been handled, or a batch of them. `lost`: the kernel dropped
     * some, so everything must be looked at anew. */
    void (*drained)(void *userdata, bool lost);
    void *userdata;
    int root_fd;
};

struct hotplug;

/* Starts listening; events queue up from now on. Returns 0 or negative errno. */
int hotplug_new(sd_event *event, const struct hotplug_handler *handler, struct hotplug **ret);
void hotplug_free(struct hotplug *h);
