/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system bus: org.vfio.Bindd1. The bus comes long after us and may go and come again: we
 * connect when it is there and never wait for it. Anybody may read; what changes something is for
 * root, or for whom polkit lets. */
#pragma once

#include <systemd/sd-bus.h>

#include "view.h"

/* What callers may ask of the manager. Each returns 0 or negative errno, with a sentence for the
 * caller in *error where there is more to say than the errno does. */
struct bus_requests {
    int (*reload)(void *userdata, sd_bus_error *error);
    int (*rescan)(void *userdata, sd_bus_error *error);
    int (*bind)(void *userdata, struct pci_addr a, sd_bus_error *error);
    int (*release)(void *userdata, struct pci_addr a, sd_bus_error *error);
    void *userdata;
};

struct bus;

/* Returns 0 or negative errno (out of memory only). view must outlive it. */
int bus_new(sd_event *event, const struct view *view, const struct bus_requests *requests,
            struct bus **ret);
void bus_free(struct bus *b);

/* Something may have changed: what has is signalled, and waiting callers are answered. */
void bus_update(struct bus *b);
