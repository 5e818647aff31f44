/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides whether the caller of a method may change something. Root may; for other users polkit
 * decides, which is told the verb and the device. All questions are asynchronous: the synchronous
 * calls of sd-bus block for 25 s if the bus or polkit is stopped. */
#pragma once

#include <systemd/sd-bus.h>

#include "channel/request.h"

/* Called with the decision. If the call is allowed, a negative errno or an error in *error is sent
 * to the caller; otherwise the answer comes later. If it is denied (request.denied), the caller has
 * its answer from here, and this call is for the journal. */
typedef int (*bus_judged)(sd_bus_message *call, const struct request *r, void *userdata,
                          sd_bus_error *error);

/* The request has only its verb and device. Returns 1 (the method's answer comes later) or negative
 * errno for the caller. */
int bus_check_caller(sd_bus_message *call, const struct request *r, bus_judged judged,
                     void *userdata, sd_bus_error *error);
