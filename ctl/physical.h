/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Physical functions that are to have virtual functions, or have some that vfio-bindd created: from
 * the daemon if it runs, otherwise from policy and /sys. */
#pragma once

#include "json.h"
#include "source.h"

struct physical {
    char *address, *rule, *state, *reason, *sentence; /* "" if there is none */
    unsigned wanted, there;
    bool ours;
};

struct physicals {
    struct physical *v;
    size_t n, allocated;
};

void physicals_done(struct physicals *p);

/* Returns 0 or -ENOMEM. */
int physicals_read(const struct source *s, struct physicals *ret);

/* The same for this plan, whatever the daemon does. */
int physicals_of_plan(const struct source *s, const struct plan *plan, struct physicals *ret);

/* Returns NULL if it is not one of them. */
const struct physical *physicals_find(const struct physicals *p, struct pci_addr a);

/* Parses the daemon's property VirtualFunctions, in live.h's text form: one line for each physical
 * function, members separated by tabs. Returns 0 or -ENOMEM. */
int physicals_parse(const char *text, struct physicals *ret);

/* The array "virtual_functions". */
void physicals_json(struct json *j, const struct physicals *p);
