/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.freedesktop.LogControl1: systemctl service-log-level. */
#pragma once

#include <systemd/sd-bus.h>

/* Puts the object on the bus. Returns 0 or negative errno. */
int bus_log_register(sd_bus *bus);
