/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMUs that make a device's group when a driver binds it, so that it has none before.
 * virtio-iommu, whose driver may be a module as well, and comes later than we do: the firmware says
 * beforehand which devices will be behind it. And Arm's SMMU, whose driver is in the kernel, until
 * Linux 6.15: which devices are behind it (a device tree's iommu-map, ACPI's table IORT) is not
 * read, only the bind tells. */
#pragma once

#include "host/viot.h"
#include "model/snapshot.h"

#define VIOMMU_MODULE "virtio_iommu"
#define VIOMMU_TRANSPORT "virtio_pci" /* without it the IOMMU's PCI function has no driver */

struct viommu {
    bool announced; /* by the table VIOT; or, where a device tree describes the host, by its PCI
                     * function, which is there */
    bool at_work;
    bool smmu; /* an SMMU is at work: a device of which nothing is announced may be behind it */
    bool no_driver;   /* the kernel has no driver for it, built in or as a module */
    bool for_all;     /* the table may not be read, or there is none: it may be for any device */
    struct viot viot; /* otherwise it says for which */
};

/* Reads all of it. What may not be read is taken for possible: the device may be behind the IOMMU.
 * Returns 0 or negative errno. */
int viommu_read(int root_fd, struct viommu *ret);

/* For a device without IOMMU group. */
enum outlook viommu_outlook(const struct viommu *v, struct pci_addr a);

/* Is its driver in the kernel, and has an IOMMU? Return 1, 0 or negative errno. */
int viommu_is_loaded(int root_fd);
int viommu_is_at_work(int root_fd);
