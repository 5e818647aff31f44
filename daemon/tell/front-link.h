/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's end of the link to the front (daemon/front), an unprivileged process that serves the
 * bus: /run/vfio-bindd/front. The front gets the whole state when it connects, and changes after
 * that. It passes on the requests of callers that it has had authorized.
 *
 * The front is not trusted. It can make the requests that callers can make, a limited number of
 * times a second, and name any caller. For a front that does not read, the daemon queues nothing;
 * it only keeps the state that it sent last. A front that breaks the protocol is disconnected. The
 * daemon works without a front. */
#pragma once

#include <systemd/sd-event.h>

#include "channel/refusal.h"
#include "view.h"

/* Carry out the requests. Each returns 0 or negative errno; *why is filled if there is more to say
 * than the errno does. */
struct front_requests {
    int (*reload)(void *userdata, struct refusal *why);
    int (*rescan)(void *userdata, struct refusal *why);
    int (*bind)(void *userdata, struct pci_addr a, struct refusal *why);
    int (*release)(void *userdata, struct pci_addr a, struct refusal *why);
    void *userdata;
};

struct front_link;

/* Starts listening. The view must outlive the link. Returns 0 or negative errno. */
int front_link_new(sd_event *event, const struct view *view, const struct front_requests *requests,
                   struct front_link **ret);
void front_link_free(struct front_link *l);

/* The view may have changed. A moment later the front gets all changes made by then, and callers
 * whose requests are finished get their answers. NULL is allowed. */
void front_link_update(struct front_link *l);
