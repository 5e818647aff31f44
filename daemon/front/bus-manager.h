/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object /org/vfio/Bindd1: the overall state, and the methods. Anybody may read; changes need
 * root or polkit's permission. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/bus-calls.h"

#define BUS_MANAGER_CHANGING 10 /* properties that change */

struct bus_manager {
    const struct copy *copy;
    struct bus_calls *calls;
    uint32_t published[BUS_MANAGER_CHANGING]; /* hashes of what was last signalled */
};

/* Puts the object on the bus. Returns 0 or negative errno. */
int bus_manager_register(struct bus_manager *b, sd_bus *bus);

/* Signals the properties that have changed since the last call. */
void bus_manager_publish(struct bus_manager *b, sd_bus *bus);
