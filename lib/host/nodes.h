/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device nodes of a PCI device, as device numbers: a node may have any name, in any mount
 * namespace. Takes no device lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/address.h"

struct node {
    dev_t number;
    bool block;           /* otherwise a character device */
    struct pci_addr addr; /* the PCI device it belongs to */
};

struct nodes {
    struct node *v;
    size_t n, allocated;
};

void nodes_done(struct nodes *nodes);

/* Adds the nodes of a device:
 * - of all that hangs below it (below.h);
 * - the VFIO group of each device there, mediated devices included, and its VFIO device node;
 * - /dev/nvidiaN, which has no entry in /sys. Reading its number takes locks of the nvidia driver:
 *   call this where waiting harms nobody.
 *
 * Nodes that several devices share prove nothing and are left out: nvidiactl, nvidia-uvm, kfd.
 * Returns 0, or an error after adding all nodes that could be found: -E2BIG (more nodes or folders
 * than any device has), -ENODATA (an NVIDIA GPU whose number is not told), or another negative
 * errno. */
int nodes_of(int root_fd, struct pci_addr a, struct nodes *nodes);

/* Adds the character device /dev/vfio/GROUP. Returns 0, -ENOENT (no such group with VFIO) or
 * another negative errno. */
int nodes_of_group(int root_fd, const char *group, struct pci_addr a, struct nodes *nodes);

/* The node with this number, or NULL. */
const struct node *nodes_find(const struct nodes *nodes, dev_t number, bool block);
