/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI's table VIOT: which PCI functions are, or will be, behind a virtual IOMMU. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"

#define VIOT_RANGES_MAX 64 /* there is one for each host bridge */

/* The functions from `first` to `last`, in each of these segments (domains). */
struct viot_range {
    uint16_t first_segment, last_segment;
    uint16_t first, last; /* bus << 8 | device << 3 | function */
};

struct viot {
    struct viot_range ranges[VIOT_RANGES_MAX];
    size_t n;
};

/* Reads the table as the firmware wrote it. False: it is no such table, or broken; what was read up
 * to there is in *ret. */
bool viot_read(const void *table, size_t size, struct viot *ret);

bool viot_covers(const struct viot *v, struct pci_addr a);
