/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The link to the front (daemon/front), a process with no rights that speaks to everybody on the
 * bus: /run/vfio-bindd/front. The front is told how things are, all of it when it connects and then
 * what has changed; and it passes on what callers ask for, whom it has had authorized.
 *
 * It is not trusted. It can ask for what callers can ask for, some times a second, and say that
 * anybody did so. A front that does not read is waited for with nothing in memory but what it was
 * told last; one that sends anything else is cut off. Without any front all goes on. */
#pragma once

#include <systemd/sd-event.h>

#include "channel/refusal.h"
#include "view.h"

/* What callers may ask for. Each returns 0, or negative errno with *why filled where there is more
 * to say than the errno does. */
struct front_requests {
    int (*reload)(void *userdata, struct refusal *why);
    int (*rescan)(void *userdata, struct refusal *why);
    int (*bind)(void *userdata, struct pci_addr a, struct refusal *why);
    int (*release)(void *userdata, struct pci_addr a, struct refusal *why);
    void *userdata;
};

struct front_link;

/* Begins to listen. The view must outlive it. Returns 0 or negative errno. */
int front_link_new(sd_event *event, const struct view *view, const struct front_requests *requests,
                   struct front_link **ret);
void front_link_free(struct front_link *l);

/* Something may have changed: it is told a moment later, together with what else has changed by
 * then, and then callers whose work is done are answered. NULL is fine. */
void front_link_update(struct front_link *l);
