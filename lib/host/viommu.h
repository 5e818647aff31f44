/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMUs that make a device's group only when a driver binds the device. There are two.
 * virtio-iommu: its driver may be a module that is loaded after we have started, but the firmware
 * tells beforehand which devices will be behind it. Arm's SMMU, until Linux 6.15: its driver is in
 * the kernel, but which devices are behind it (a device tree's iommu-map, ACPI's table IORT) is not
 * read: only the bind tells. */
#pragma once

#include "host/viot.h"
#include "model/snapshot.h"

#define VIOMMU_MODULE "virtio_iommu"
#define VIOMMU_TRANSPORT "virtio_pci" /* without it the IOMMU's PCI function has no driver */

struct viommu {
    bool announced; /* by the table VIOT; or, if a device tree describes the host, by the presence
                     * of its PCI function */
    bool at_work;
    bool smmu; /* an SMMU is at work: a device for which nothing is announced may be behind it */
    bool no_driver;   /* the kernel has no driver for it, built in or as a module */
    bool for_all;     /* no table, or it may not be read: the IOMMU may be for any device */
    struct viot viot; /* unless .for_all: which devices it is for */
};

/* Reads all of it. If something may not be read, the device may be behind the IOMMU. Returns 0 or
 * negative errno. */
int viommu_read(int root_fd, struct viommu *ret);

/* For a device without an IOMMU group. */
enum outlook viommu_outlook(const struct viommu *v, struct pci_addr a);

/* Is virtio-iommu's driver in the kernel? Is such an IOMMU at work? Return 1, 0 or negative
 * errno. */
int viommu_is_loaded(int root_fd);
int viommu_is_at_work(int root_fd);
