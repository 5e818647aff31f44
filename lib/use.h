/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence that the host itself is using a device: what is mounted, swapped to or stacked on its
 * disks, which of its network interfaces are up. Read from /proc and /sys; takes no device's lock.
 */
#pragma once

#include "snapshot.h"

/* How the host uses the device, as words that follow "it": "has the file system mounted on /".
 * malloc'ed; NULL: no evidence (or out of memory). Looks only at storage and network devices. */
char *use_of(int root_fd, const struct device *d);

/* Is a block device ("nvme0n1p2", "dm-0": its name in /sys/class/block), or one that it is stacked
 * on, the PCI device's? */
bool use_block_is_on(int root_fd, const char *name, struct pci_addr a);
