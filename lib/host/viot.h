/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI table VIOT: which PCI functions are, or will be, behind a virtual IOMMU. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"

#define VIOT_RANGES_MAX 64 /* one for each host bridge */

/* The functions from `first` to `last`, in each of these segments (domains). */
struct viot_range {
    uint16_t first_segment, last_segment;
    uint16_t first, last; /* bus << 8 | device << 3 | function */
};

struct viot {
    struct viot_range ranges[VIOT_RANGES_MAX];
    size_t n;
};

/* Parses the table. Returns false if it is another table or broken; *ret has what was read so
 * far. */
bool viot_read(const void *table, size_t size, struct viot *ret);

bool viot_covers(const struct viot *v, struct pci_addr a);
