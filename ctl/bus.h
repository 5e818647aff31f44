/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections and calls to the daemon, with time limits, and errors as sentences. */
#pragma once

#include <systemd/sd-bus.h>

#include "ctl.h"
#include "offer/bus-names.h"

/* Calls that only read are answered at once. Calls that change something may have to wait for a
 * password (the daemon allows 120 s), and for a driver to unbind from its device. */
#define BUS_READ_USEC (5 * 1000000ULL)
#define BUS_CHANGE_USEC (150 * 1000000ULL)

static inline void bus_closep(sd_bus **bus)
{
    sd_bus_flush_close_unref(*bus);
}

#define CLEANUP_BUS CLEANUP(bus_closep)
#define CLEANUP_MESSAGE CLEANUP(sd_bus_message_unrefp)
#define CLEANUP_BUS_ERROR CLEANUP(sd_bus_error_free)

/* Connects to the system bus of this host, or of -H HOST. Returns 0 or negative errno (-ETIMEDOUT:
 * the bus does not answer). */
int bus_open(const struct ctl *c, sd_bus **ret);

/* Calls a method of the daemon, with arguments of these types. A call with BUS_CHANGE_USEC may ask
 * for a password. Returns 0 or negative errno, usually with an error. */
int bus_call(sd_bus *bus, const char *path, const char *interface, const char *member,
             uint64_t timeout_usec, sd_bus_error *error, sd_bus_message **ret_reply,
             const char *types, ...);

/* Does the daemon of this host run, although nobody may own its name on the bus? */
bool bus_daemon_is_there(void);

/* Does this error mean that nobody owns the daemon's name on the bus? */
bool bus_is_absent(const sd_bus_error *error);

/* Does this error mean that the caller may not do this? */
bool bus_is_denied(const sd_bus_error *error);

/* Prints the error and what to do about it. Returns EXIT_FAILURE. */
int bus_complain(const struct ctl *c, int r, const sd_bus_error *error);
