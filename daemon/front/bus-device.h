/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device objects: /org/vfio/Bindd1/device/ADDRESS, one for each device of the copy. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/bus-calls.h"

/* The object path of the device with this id, malloc'ed; NULL when out of memory. */
char *bus_device_path(uint64_t id);

/* Has a bound device lost its driver link, although no event has come yet? */
bool bus_device_is_leaving(const struct copy *c, const struct message *m);

struct bus_devices {
    const struct copy *copy;
    struct bus_calls *calls;
};

/* Puts the objects on the bus. Returns 0 or negative errno. */
int bus_device_register(sd_bus *bus, struct bus_devices *d);

#define PUBLISHED_MAX 18 /* properties that change */

/* What was last signalled of a device. */
struct published {
    uint64_t id;
    uint32_t values[PUBLISHED_MAX]; /* hashes of them */
};

struct publication {
    struct published *v; /* in the order of ids */
    size_t n;
};

/* Signals what has changed since the last call: objects that came and went, and the properties that
 * differ. Returns true if it must be called again in the next turn of the event loop, since not all
 * could be signalled in this one. */
bool bus_device_publish(sd_bus *bus, const struct copy *c, struct publication *p);
