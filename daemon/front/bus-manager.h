/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object /org/vfio/Bindd1: how things are as a whole, and what callers may ask for. Anybody may
 * read; to change something takes root, or polkit's permission. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/daemon-link.h"

#define PENDING_MAX 100     /* requests that the daemon has not answered; it takes more */
#define PENDING_USER_MAX 50 /* of them, of all users but root together: root is never kept out */
#define BUS_MANAGER_CHANGING 10 /* properties that change */

/* A caller whose request the daemon has. */
struct pending_call {
    uint64_t id;
    uint32_t uid;
    sd_bus_message *call;
};

struct bus_manager {
    const struct copy *copy;
    struct daemon_link *link;
    uint32_t published[BUS_MANAGER_CHANGING]; /* hashes of what was last signalled */
    struct pending_call pending[PENDING_MAX];
    size_t n_pending;
    uint64_t last_id;
    struct budget denials; /* that are told */
    uint32_t n_denied;     /* since the last of them */
};

/* Puts the object on the bus. Returns 0 or negative errno. */
int bus_manager_register(struct bus_manager *b, sd_bus *bus);

/* Answers the caller who waits for this. */
void bus_manager_answer(struct bus_manager *b, uint64_t id, enum refusal_kind kind,
                        const char *sentence);

/* The connection is gone: nobody waits any more. */
void bus_manager_forget_callers(struct bus_manager *b);

/* Signals just the properties that have changed since the last call. */
void bus_manager_publish(struct bus_manager *b, sd_bus *bus);
