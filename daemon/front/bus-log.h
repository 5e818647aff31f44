/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.freedesktop.LogControl1, which "systemctl service-log-level" uses. The level is the
 * daemon's. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/daemon-link.h"

struct bus_log {
    struct copy *copy;
    struct daemon_link *link;
};

/* Puts the object on the bus. Returns 0 or negative errno. */
int bus_log_register(struct bus_log *l, sd_bus *bus);
