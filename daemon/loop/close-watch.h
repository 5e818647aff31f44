/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells when somebody closes a node of VFIO: a virtual machine has ended, and its devices may have
 * come back dead. By inotify on /dev/vfio and /dev/vfio/devices: no polling, and nothing where no
 * such folder is. The kernel sends the event when the last descriptor of the group and of all of
 * its devices is closed; of a device's own node a moment before it is reset.
 *
 * Nodes that somebody has made elsewhere (mknod, as container runtimes and libvirt's mount
 * namespaces do) are not seen: their use is none of the folder's. */
#pragma once

#include <systemd/sd-event.h>

#include "model/address.h"

struct close_watch;

/* Called for each device of the group, or the one of the node; `done` after the last. */
struct close_watch_handler {
    void (*closed)(void *userdata, struct pci_addr a);
    void (*done)(void *userdata);
    void *userdata;
};

int close_watch_new(sd_event *event, int root_fd, const struct close_watch_handler *handler,
                    struct close_watch **ret);

/* Begins to watch the folders that are there by now: VFIO makes the second with the first device.
 */
void close_watch_try(struct close_watch *w);

void close_watch_free(struct close_watch *w);
