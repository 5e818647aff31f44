/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two objects that permit devices, KubeVirt and HyperConverged, and their differences. */
#pragma once

#include "export/form.h"

#define PERMIT_DEPTH_MAX 4

struct permit_target {
    const char *group, *version, *kind, *name, *namespace;
    const char *resource;               /* name of the kind for kubectl, with this version */
    const char *path[PERMIT_DEPTH_MAX]; /* path from the root to the list of devices */
    size_t depth;                       /* length of the path */
    const char *selector;               /* name of the field for the ID */
    bool gate; /* hostDevices need a feature gate, and nobody else sets it */
};

/* The path to the list of feature gates; it is as long as the path above. */
extern const char *const permit_gate_path[PERMIT_DEPTH_MAX];

/* Adds the entry of one device. */
void permit_add_device(struct doc *d, const struct permit_target *t,
                       const struct export_item *item);

bool permit_needs_gate(const struct export *e, const struct permit_target *t);

/* Prints what remains to be done in the cluster; `name` and `namespace` are those of the object. */
void permit_say_cluster(const struct export *e, const struct permit_target *t, const char *name,
                        const char *namespace);
