/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes through which a virtual machine opens a device on a VFIO driver: that of its IOMMU
 * group (/dev/vfio/GROUP), and its own (/dev/vfio/devices/vfioN), which needs /dev/iommu. A kernel
 * creates the one, the other, or both. sysfs has vfio-dev/vfioN even without a node of that name.
 * What cannot be read is noted in the device (FACT_NODE), whose previous value stays. */
#pragma once

#include "model/snapshot.h"

/* Looked up once for all devices. */
struct vfio_nodes {
    bool read;
    bool unsafe_noiommu; /* a group's node may be /dev/vfio/noiommu-GROUP */
    bool devices;        /* /dev/vfio/devices exists */
    bool iommufd;        /* /dev/iommu exists */
    int error;           /* negative errno if the two are unknown, otherwise 0 */
    bool listed;         /* .groups has all groups that have a node */
    uint32_t *groups;    /* sorted */
    size_t n_groups;
};

/* Two system calls. */
void vfio_nodes_read(int root_fd, bool unsafe_noiommu, struct vfio_nodes *ret);

/* For many devices: listing the folder replaces a look at the node of each group. Not in no-IOMMU
 * mode, where the name of a node matters. */
void vfio_nodes_read_groups(int root_fd, struct vfio_nodes *n);

void vfio_nodes_done(struct vfio_nodes *n);

/* Sets d->node and d->noiommu. */
void vfio_nodes_group(int root_fd, const struct vfio_nodes *n, struct device *d);

/* Sets d->cdev. Returns 0, or a negative errno if that is unknown: then it is unchanged. Takes 6
 * system calls, or none on a kernel without such nodes. */
int vfio_nodes_device(int root_fd, const struct vfio_nodes *n, struct device *d);

/* The path of the device's own node, beginning with a slash. Returns 1, 0 (it has none) or negative
 * errno. */
int vfio_nodes_find_device(int root_fd, struct pci_addr a, struct node_text *ret);

/* Both. */
void vfio_nodes_all(int root_fd, const struct vfio_nodes *n, struct device *d);
