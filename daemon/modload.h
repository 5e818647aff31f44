/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a kernel module loaded: by systemd, whose modprobe@.service is started over PID 1's private
 * socket. So the daemon needs neither the capability nor the bus, which is not there yet at boot.
 *
 * Never blocks; one attempt a call. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#define MODLOAD_ADDRESS "unix:path=/run/systemd/private"
#define MODLOAD_TIMEOUT_USEC (5 * 1000000ULL)

struct modload;

/* Called once from the loop, when the object has gone. r is 0 when the unit has run to its end:
 * modprobe's own failure does not show there (the unit ignores it), so look into /sys/module what
 * came of it. Otherwise it is negative errno, -ETIMEDOUT among them, and `text` says what happened:
 * "systemd does not start modprobe@x.service: ...". */
typedef void modload_done(void *userdata, const char *module, int r, const char *text);

/* Asks for a module; address is MODLOAD_ADDRESS and timeout_usec MODLOAD_TIMEOUT_USEC but in tests.
 * Returns 0 with the object in *ret,
 * good for modload_cancel() until the callback; -EINVAL (no name of a module), -ENOENT or
 * -ECONNREFUSED (PID 1 is not systemd), or another negative errno, and then the callback is never
 * called. */
int modload_start(sd_event *event, const char *address, const char *module, uint64_t timeout_usec,
                  modload_done *done, void *userdata, struct modload **ret);

/* Gives up: the callback will not be called. NULL is fine. */
void modload_cancel(struct modload *m);
