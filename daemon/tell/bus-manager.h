/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object /org/vfio/Bindd1: how things are as a whole, and what callers may ask for. Anybody may
 * read; to change something takes root, or polkit's permission. */
#pragma once

#include <systemd/sd-bus.h>

#include "view.h"

/* What callers may ask of the manager. Each returns 0 or negative errno, with a sentence for the
 * caller in *error where there is more to say than the errno does. */
struct bus_requests {
    int (*reload)(void *userdata, sd_bus_error *error);
    int (*rescan)(void *userdata, sd_bus_error *error);
    int (*bind)(void *userdata, struct pci_addr a, sd_bus_error *error);
    int (*release)(void *userdata, struct pci_addr a, sd_bus_error *error);
    void *userdata;
};

#define WAITING_MAX 64          /* callers of Bind and Release whose device is being worked on */
#define BUS_MANAGER_CHANGING 10 /* properties that change */

/* A caller of Bind or Release who gets the answer when the work is done. */
struct waiting_caller {
    sd_bus_message *call;
    struct pci_addr addr;
    bool bind;
};

struct bus_manager {
    const struct view *view;
    struct bus_requests requests;
    uint32_t published[BUS_MANAGER_CHANGING]; /* what was last signalled, or hashes of it */
    struct waiting_caller waiting[WAITING_MAX];
    size_t n_waiting;
};

/* Puts the object on the bus. Returns 0 or negative errno. */
int bus_manager_register(struct bus_manager *b, sd_bus *bus);

/* Answers the waiting callers whose work is done. */
void bus_manager_answer(struct bus_manager *b);

/* The connection is gone: nobody waits any more. */
void bus_manager_forget_callers(struct bus_manager *b);

/* Signals just the properties that have changed since the last call. */
void bus_manager_publish(struct bus_manager *b, sd_bus *bus);
