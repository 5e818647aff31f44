/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMUs that create the group of a device only when a driver binds it. There are two.
 * virtio-iommu: its driver may be a module that is loaded after vfio-bindd has started, but the
 * firmware describes in advance which devices will be behind it. Arm's SMMU, until Linux 6.15: its
 * driver is built in, but the description of the devices behind it (iommu-map in a device tree, the
 * ACPI table IORT) is not read: only a bind shows it. */
#pragma once

#include "host/viot.h"
#include "model/snapshot.h"

#define VIOMMU_MODULE "virtio_iommu"
#define VIOMMU_TRANSPORT "virtio_pci" /* without it the IOMMU's PCI function has no driver */

struct viommu {
    bool announced; /* by the table VIOT; or, if a device tree describes the host, by the presence
                     * of its PCI function */
    bool at_work;
    bool smmu; /* an SMMU is active: a device for which no IOMMU is announced may be behind it */
    bool no_driver;   /* the kernel has no driver for it, built in or as a module */
    bool for_all;     /* no table, or no permission to read it: the IOMMU may serve any device */
    struct viot viot; /* unless .for_all: the devices behind it */
};

/* Reads all of it. Without permission to read something, a device may be behind the IOMMU. Returns
 * 0 or negative errno. */
int viommu_read(int root_fd, struct viommu *ret);

/* For a device without an IOMMU group. */
enum outlook viommu_outlook(const struct viommu *v, struct pci_addr a);

/* Is the driver of virtio-iommu loaded or built in? Is such an IOMMU active? Return 1, 0 or
 * negative errno. */
int viommu_is_loaded(int root_fd);
int viommu_is_at_work(int root_fd);
