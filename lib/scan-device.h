/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the scan: one device. For scan.c; nobody else. */
#pragma once

#include <limits.h>

#include "bars.h"
#include "boot-use.h"
#include "bus-folder.h"
#include "modules.h"
#include "policy.h"
#include "serials.h"
#include "slots.h"
#include "snapshot.h"
#include "viommu.h"

#define SCAN_DEVICES "sys/bus/pci/devices"

/* What is looked up once for many devices. */
struct scan_context {
    int root_fd;
    struct bus_folder folder;
    const struct policy *policy; /* NULL: everything is read of all */
    struct slots slots;
    struct serials serials;
    /* read for the first device that they may matter to */
    struct variant_aliases variants;
    struct bars bars;
    struct boot_use boot;
    struct viommu viommu;
    bool variants_known, bars_known, boot_known, viommu_known;
    bool wants_serials, wants_variants;
};

/* policy NULL: everything is read. scan_context_done() is to be called in any case. Returns 0 or
 * -ENOMEM. */
int scan_context_init(struct scan_context *c, int root_fd, const struct policy *p);
void scan_context_done(struct scan_context *c);

/* Where functions have their folders: below SCAN_DEVICES, or in that of their bus. */
struct scan_place {
    int fd;
    const char *folder;
};

struct scan_place scan_long_way(int root_fd);
struct scan_place scan_short_way(struct bus_folder *f, int root_fd, struct pci_addr a);

bool scan_exists(int root_fd, const char *path);

/* The last part of a symbolic link's target; false if there is none. */
bool scan_link_name(struct scan_place p, struct pci_addr a, const char *name,
                    char buf[static NAME_MAX + 1]);

/* Reads what modalias tells of the device at d->addr: 3 system calls. False: there is none. */
bool scan_identify(int root_fd, struct device *d);

/* The IOMMU group, or NO_GROUP. */
uint32_t scan_group(struct scan_place p, struct pci_addr a);

/* Has the device's group a node? */
bool scan_node(int root_fd, const struct device *d);

/* Reads the rest. d->driver points into `driver` until the device is put into a snapshot. Returns 0
 * or -ENOMEM, with what was read so far in *d. */
int scan_details(struct scan_context *c, struct device *d, char driver[static NAME_MAX + 1]);
