/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks systemd to start a unit, over PID 1's private socket. The unit does what the daemon may not
 * do itself (load a module, read configuration space). This needs no capabilities of ours, and not
 * the bus, which is not there yet at boot.
 *
 * Never blocks; one attempt a call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define START_UNIT_ADDRESS "unix:path=/run/systemd/private"
#define START_UNIT_TIMEOUT_USEC (5 * 1000000ULL)
#define START_UNIT_NAME_MAX 96

struct start_unit;

/* Called once from the loop, after the object was freed. r is 0 when the unit has run to its end
 * (for modprobe@.service: even if modprobe failed, which that unit ignores). Otherwise r is
 * negative errno, -ETIMEDOUT among them, and `text` says what happened: "systemd does not start
 * x.service: ...". */
typedef void start_unit_done(void *userdata, const char *unit, int r, const char *text);

/* Asks for a unit; address is START_UNIT_ADDRESS except in tests. Returns 0 with the object in
 * *ret, good for start_unit_cancel() until the callback; -ENOENT or -ECONNREFUSED (PID 1 is not
 * systemd), or another negative errno, and then the callback is never called. */
int start_unit(sd_event *event, const char *address, const char *unit, uint64_t timeout_usec,
               start_unit_done *done, void *userdata, struct start_unit **ret);

/* Gives up: the callback will not be called. NULL is fine. */
void start_unit_cancel(struct start_unit *s);

/* The unit that loads a module. False: that is no module's name. */
bool start_unit_of_module(const char *module, char ret[static START_UNIT_NAME_MAX]);
