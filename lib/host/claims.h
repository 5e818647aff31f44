/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that the kernel itself uses: for a file system, swap space, stacked block devices, or for a
 * use that neither /sys nor /proc shows (a ZFS pool, a target of the kernel's SCSI server). Each of
 * these opens the block device exclusively, so that another exclusive open of it or of its whole
 * disk fails. Nothing is written, and no medium is requested.
 *
 * * An open may wait for the driver: call it in a worker. */
#pragma once

#include <limits.h>

#include "model/address.h"

/* Is a block device below this device claimed? Returns 1 with its name in `node` ("/dev/sda1"), 0,
 * or a negative errno if that is unknown. Block devices without a node in /dev do not count. */
int claims_find(int root_fd, struct pci_addr a, char node[static NAME_MAX + 8]);
