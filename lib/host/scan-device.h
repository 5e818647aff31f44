/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scans one device. Internal to the scan. */
#pragma once

#include <limits.h>

#include "host/bars.h"
#include "host/boot-use.h"
#include "host/modules.h"
#include "host/serials.h"
#include "host/slots.h"
#include "host/use.h"
#include "host/vfio-nodes.h"
#include "host/viommu.h"
#include "model/snapshot.h"
#include "policy/policy.h"

/* What is looked up once for many devices. */
struct scan_context {
    int root_fd;
    const struct policy *policy;   /* NULL: everything is read of every device */
    const struct snapshot *before; /* what was known before, for what cannot be read now; or NULL */
    struct slots slots;
    struct serials serials;
    int slots_read, serials_read; /* what reading them returned */
    /* the following is read when the first device needs it */
    struct variant_aliases variants;
    struct bars bars;
    struct boot_use boot;
    struct host_use use;
    struct viommu viommu;
    struct vfio_nodes nodes;
    struct look {
        bool done;
        int r;
    } variants_look, bars_look, boot_look, use_look, viommu_look;
    bool unsafe_noiommu;
    bool wants_serials, wants_variants, wants_vfs, wants_vf_numbers;
};

/* policy NULL: everything is read. `before` must live as long as the context. What cannot be read
 * is noted in the devices that it concerns. Call scan_context_done() afterwards. */
void scan_context_init(struct scan_context *c, int root_fd, const struct policy *p,
                       const struct snapshot *before, bool unsafe_noiommu);
void scan_context_done(struct scan_context *c);

/* Reads all details. What is unknown keeps its previous value. Until the device is put into a
 * snapshot, d->driver points into `driver`, or into the snapshot before. */
void scan_details(struct scan_context *c, struct device *d, char driver[static NAME_MAX + 1]);
