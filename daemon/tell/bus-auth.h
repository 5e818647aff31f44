/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May the caller of a method change something? Root may; for others polkit is asked, which is told
 * what for. Neither the bus nor polkit is waited for: the synchronous calls of sd-bus block for 25
 * s when one of them is stopped. Who asked is in the journal before anything is done. */
#pragma once

#include <systemd/sd-bus.h>

#include "tell/request.h"

/* Called once the caller is known to be allowed. What it returns (negative errno) or sets in error
 * is sent to the caller, unless it has replied itself. */
typedef int (*bus_allowed)(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* Returns 1 (the method's answer comes later) or negative errno for the caller. */
int bus_check_caller(sd_bus_message *m, const struct asked *what, bus_allowed allowed,
                     void *userdata, sd_bus_error *error);
