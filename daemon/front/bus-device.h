/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device objects, /org/vfio/Bindd1/device/ADDRESS: one for each device in the copy. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/bus-calls.h"

/* The object path of the device with this id, malloc'ed; NULL when out of memory. */
char *bus_device_path(uint64_t id);

/* Has a bound device lost its driver link before its event has come? */
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
    uint32_t values[PUBLISHED_MAX]; /* hashes */
};

struct publication {
    struct published *v; /* sorted by id */
    size_t n;
};

/* Signals the changes since the last call: objects that came and went, and changed properties.
 * Returns true if some signals must wait for the next turn of the event loop; call it again
 * then. */
bool bus_device_publish(sd_bus *bus, const struct copy *c, struct publication *p);
