/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method calls that change something, on any object. A call is authorized, its request passed on to
 * the daemon, and the caller answered when the daemon has carried it out. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/daemon-link.h"

#define PENDING_MAX 100     /* requests without an answer yet; the daemon allows more */
#define PENDING_USER_MAX 50 /* of all users but root together: root always has room */

/* A caller waiting for the daemon's answer. */
struct pending_call {
    uint64_t id;
    uint32_t uid;
    sd_bus_message *call;
};

struct bus_calls {
    struct daemon_link *link;
    struct pending_call pending[PENDING_MAX];
    size_t n_pending;
    uint64_t last_id;
    struct budget denials; /* that are passed on */
    uint32_t n_denied;     /* since the last one that was passed on */
};

/* Starts a call. The request has only its verb and device; the flags are the caller's. Returns 1
 * (the answer comes later) or negative errno for the caller. */
int bus_calls_begin(struct bus_calls *c, sd_bus_message *call, const struct request *request,
                    uint64_t flags, sd_bus_error *error);

/* Passes the daemon's answer to the request with this id on to the caller. */
void bus_calls_answer(struct bus_calls *c, uint64_t id, enum refusal_kind kind,
                      const char *sentence);

/* Drops all waiting callers, since the connection is gone. */
void bus_calls_forget(struct bus_calls *c);
