/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detects that a VFIO node was closed: a virtual machine has ended, and its devices may not answer
 * any more. Uses inotify on /dev/vfio and /dev/vfio/devices, so there is no polling, and no cost if
 * these folders do not exist. The kernel sends the event when the last descriptor of the group and
 * of all its devices is closed. For the node of a single device the event comes shortly before the
 * device is reset.
 *
 * Nodes that were made elsewhere (by mknod, as container runtimes and libvirt's mount namespaces
 * do) are not noticed, since their use causes no event in these folders. */
#pragma once

#include <systemd/sd-event.h>

#include "model/address.h"

struct close_watch;

/* `closed` is called for each device of the group, or for the device of the node, and `done` after
 * the last one. `unseen` is called instead if any of them may have been closed: events were lost,
 * or the group could not be read. */
struct close_watch_handler {
    void (*closed)(void *userdata, struct pci_addr a);
    void (*unseen)(void *userdata);
    void (*done)(void *userdata);
    void *userdata;
};

int close_watch_new(sd_event *event, int root_fd, const struct close_watch_handler *handler,
                    struct close_watch **ret);

/* Starts to watch those folders that exist by now. VFIO makes the second one with the first
 * device. */
void close_watch_try(struct close_watch *w);

void close_watch_free(struct close_watch *w);
