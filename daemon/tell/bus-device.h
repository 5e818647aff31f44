/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device objects: /org/vfio/Bindd1/device/ADDRESS, one for each device that has a verdict. */
#pragma once

#include <systemd/sd-bus.h>

#include "view.h"

/* A device's object path, malloc'ed; NULL when out of memory. */
char *bus_device_path(struct pci_addr a);

/* Has a bound device lost its driver link, although no event has come yet? */
bool bus_device_is_leaving(const struct view *view, const struct verdict *v);

/* Puts the objects on the bus. Returns 0 or negative errno. */
int bus_device_register(sd_bus *bus, const struct view *view);

#define PUBLISHED_MAX 16 /* properties that change */

/* What was last signalled of a device. */
struct published {
    struct pci_addr addr;
    uint32_t values[PUBLISHED_MAX]; /* or hashes of them */
};

struct publication {
    struct published *v; /* in the order of addresses */
    size_t n;
};

/* Signals what has changed since the last call: objects that came and went, and the properties that
 * differ. Returns true if it must be called again in the next turn of the event loop, since not all
 * could be signalled in this one. */
bool bus_device_publish(sd_bus *bus, const struct view *view, struct publication *p);
