/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running daemon reports about itself and its devices. Properties are kept as text by
 * name, so a daemon with more properties, or with other types, is understood as well. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/util.h"
#include "model/address.h"

#define NO_GROUP_TEXT "4294967295" /* IommuGroup of a device without a group */

struct prop {
    char *name;
    char type;  /* D-Bus type: 's', 'b', 'u', ...; 'a': an array of any type */
    char *text; /* numbers in decimal; booleans "yes" or "no"; arrays with one item per line;
                   members of structures separated by tabs */
};

struct props {
    struct prop *v;
    size_t n, allocated;
};

struct live_device {
    struct pci_addr addr;
    struct props props;
};

struct live {
    bool running;
    struct props manager;
    struct live_device *devices;
    size_t n, allocated;
};

void live_done(struct live *l);

/* Reads everything from the daemon. Returns 0 or negative errno, usually with an error. */
int live_read(sd_bus *bus, struct live *ret, sd_bus_error *error);

/* Returns NULL if the daemon does not report this device. */
const struct live_device *live_find(const struct live *l, struct pci_addr a);

/* Finds or adds; NULL when out of memory. Valid until the next device is added. */
struct live_device *live_get(struct live *l, struct pci_addr a);

/* "" if there is none. */
const char *props_get(const struct props *p, const char *name);

int props_set(struct props *p, const char *name, char type, const char *text);
void props_done(struct props *p);

/* The first word of a Reason, which has the form "WORD: sentence"; NULL if there is none. */
const char *live_reason_word(const char *reason);

/* Reads a{sv}. */
int props_read(sd_bus_message *m, struct props *p);
