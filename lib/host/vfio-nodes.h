/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes by which a virtual machine opens a device that a VFIO driver has: that of its IOMMU
 * group (/dev/vfio/GROUP), and its own (/dev/vfio/devices/vfioN), which needs /dev/iommu. A kernel
 * makes the one, the other, or both. sysfs has vfio-dev/vfioN also where there is no node of that
 * name. What cannot be read is noted in the device (FACT_NODE), which stays as it was. */
#pragma once

#include "model/snapshot.h"

/* What is looked up once for all devices. */
struct vfio_nodes {
    bool read;
    bool unsafe_noiommu; /* a group's node may be /dev/vfio/noiommu-GROUP */
    bool devices;        /* /dev/vfio/devices is there */
    bool iommufd;        /* /dev/iommu is there */
    int error;           /* the two are not known: negative errno; else 0 */
    bool listed;         /* .groups has all groups that have a node */
    uint32_t *groups;    /* sorted */
    size_t n_groups;
};

/* Two system calls. */
void vfio_nodes_read(int root_fd, bool unsafe_noiommu, struct vfio_nodes *ret);

/* For many devices: one look at the folder replaces one at the node of each group. Not in no-IOMMU
 * mode, where a node's name tells more. */
void vfio_nodes_read_groups(int root_fd, struct vfio_nodes *n);

void vfio_nodes_done(struct vfio_nodes *n);

/* Sets d->node and d->noiommu. */
void vfio_nodes_group(int root_fd, const struct vfio_nodes *n, struct device *d);

/* Sets d->cdev. Returns 0, or negative errno if that is not known: then it is untouched. A kernel
 * without such nodes costs nothing here, any other 6 system calls. */
int vfio_nodes_device(int root_fd, const struct vfio_nodes *n, struct device *d);

/* The path of the device's own node, which begins with a slash. Returns 1, 0 (it has none) or
 * negative errno. */
int vfio_nodes_find_device(int root_fd, struct pci_addr a, struct node_text *ret);

/* Both. */
void vfio_nodes_all(int root_fd, const struct vfio_nodes *n, struct device *d);
