/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that change something, of whatever object: they are authorized, passed on to the daemon,
 * which carries them out, and answered when it has. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/daemon-link.h"

#define PENDING_MAX 100     /* requests that the daemon has not answered; it takes more */
#define PENDING_USER_MAX 50 /* of them, of all users but root together: root is never kept out */

/* A caller whose request the daemon has. */
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
    struct budget denials; /* that are told */
    uint32_t n_denied;     /* since the last of them */
};

/* Takes a call: of the request, verb and device are given; the flags are the caller's. Returns 1
 * (the answer comes later) or negative errno for the caller. */
int bus_calls_begin(struct bus_calls *c, sd_bus_message *call, const struct request *request,
                    uint64_t flags, sd_bus_error *error);

/* The daemon has answered the request with this id: answers the caller who waits for it. */
void bus_calls_answer(struct bus_calls *c, uint64_t id, enum refusal_kind kind,
                      const char *sentence);

/* The connection is gone: nobody waits any more. */
void bus_calls_forget(struct bus_calls *c);
