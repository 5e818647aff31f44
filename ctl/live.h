/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running daemon says of itself and of its devices. Properties are kept as text by name:
 * a daemon that has more of them, or other types, is understood all the same. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/util.h"
#include "model/address.h"

#define NO_GROUP_TEXT "4294967295" /* IommuGroup of a device without a group */

struct prop {
    char *name;
    char type;  /* as D-Bus has it: 's', 'b', 'u', ...; 'a': an array of any type */
    char *text; /* numbers in decimal; booleans "yes" or "no"; arrays one item a line;
                 * structures with tabs between their members */
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

/* Asks the daemon for everything. Returns 0 or negative errno, then mostly with an error. */
int live_read(sd_bus *bus, struct live *ret, sd_bus_error *error);

/* NULL: it says nothing of this device. */
const struct live_device *live_find(const struct live *l, struct pci_addr a);

/* Finds or adds; NULL when out of memory. Valid until the next one is added. */
struct live_device *live_get(struct live *l, struct pci_addr a);

/* "" if there is none. */
const char *props_get(const struct props *p, const char *name);

int props_set(struct props *p, const char *name, char type, const char *text);
void props_done(struct props *p);

/* The word at the beginning of a Reason, which is "WORD: sentence"; NULL if there is none. */
const char *live_reason_word(const char *reason);

/* Reads a{sv}. */
int props_read(sd_bus_message *m, struct props *p);
