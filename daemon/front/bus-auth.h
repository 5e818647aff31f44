/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May the caller of a method change something? Root may; for others polkit is asked, which is told
 * what for. Neither the bus nor polkit is waited for: the synchronous calls of sd-bus block for 25
 * s when one of them is stopped. */
#pragma once

#include <systemd/sd-bus.h>

#include "channel/request.h"

/* Called once it is known. Allowed: what it returns (negative errno) or sets in error is sent to
 * the caller, unless the answer comes later. Denied (request.denied): the caller is told, and this
 * is for the journal. */
typedef int (*bus_judged)(sd_bus_message *call, const struct request *r, void *userdata,
                          sd_bus_error *error);

/* Of the request only verb and device are given. Returns 1 (the method's answer comes later) or
 * negative errno for the caller. */
int bus_check_caller(sd_bus_message *call, const struct request *r, bus_judged judged,
                     void *userdata, sd_bus_error *error);
