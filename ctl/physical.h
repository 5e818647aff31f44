/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Physical functions that are to have virtual ones, or have some that vfio-bindd made: by the
 * daemon if it runs, else by policy and /sys. */
#pragma once

#include "json.h"
#include "source.h"

struct physical {
    char *address, *rule, *state, *reason, *sentence; /* "" where there is none */
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

/* NULL: it is none of them. */
const struct physical *physicals_find(const struct physicals *p, struct pci_addr a);

/* Of the daemon's property VirtualFunctions, as live.h has it as text: a line for each, its members
 * separated by tabs. Returns 0 or -ENOMEM. */
int physicals_parse(const char *text, struct physicals *ret);

/* The array "virtual_functions". */
void physicals_json(struct json *j, const struct physicals *p);
