/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two objects that permit devices, KubeVirt and HyperConverged, and their differences. */
#pragma once

#include "export.h"

#define PERMIT_DEPTH 4

struct permit_target {
    const char *group, *version, *kind, *name, *namespace;
    const char *path[PERMIT_DEPTH]; /* from the root to the list of devices */
    const char *selector;           /* what the ID is called */
    bool gate;                      /* hostDevices need a feature gate, which nobody else sets */
};

/* From the root to the list of feature gates. */
extern const char *const permit_gate_path[PERMIT_DEPTH];

/* What the list calls one device. */
void permit_add_device(struct doc *d, const struct permit_target *t,
                       const struct export_item *item);

bool permit_needs_gate(const struct export *e, const struct permit_target *t);

/* Writes what becomes of the object on standard input. Returns 0 or an exit code. */
int permit_merge(struct export *e, const struct permit_target *t);
