/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two objects that permit devices, KubeVirt and HyperConverged, and their differences. */
#pragma once

#include "export/form.h"

#define PERMIT_DEPTH_MAX 4

struct permit_target {
    const char *group, *version, *kind, *name, *namespace;
    const char *resource;               /* what kubectl calls the kind, in this version */
    const char *path[PERMIT_DEPTH_MAX]; /* from the root to the list of devices */
    size_t depth;                       /* of the path */
    const char *selector;               /* what the ID is called */
    bool gate; /* hostDevices need a feature gate, which nobody else sets */
};

/* From the root to the list of feature gates, of the same depth as the path. */
extern const char *const permit_gate_path[PERMIT_DEPTH_MAX];

/* What the list calls one device. */
void permit_add_device(struct doc *d, const struct permit_target *t,
                       const struct export_item *item);

bool permit_needs_gate(const struct export *e, const struct permit_target *t);

/* Tells what remains to be done in the cluster; `name` and `namespace` are the object's there. */
void permit_say_cluster(const struct export *e, const struct permit_target *t, const char *name,
                        const char *namespace);
