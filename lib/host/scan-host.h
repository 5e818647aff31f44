/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host as a whole: what is common to all devices of a snapshot. */
#pragma once

#include "model/snapshot.h"

/* A file in /run/vfio-bindd that exists once the boot is over (vfio-bindd-booted.service). */
#define SCAN_BOOTED_FILE "booted"

/* Checks again whether the host is still booting. If that is unknown, the previous value stays. */
void scan_boot(int root_fd, struct snapshot *s);

/* Reads again which drivers the PCI bus has, and in which order they were registered. If that is
 * unknown, the previous list stays, and the snapshot has a note. Returns 0 or -ENOMEM. */
int scan_drivers(int root_fd, struct snapshot *s);

/* Reads what VFIO permits by its modules' parameters: no-IOMMU mode, and interrupts that are not
 * remapped. If that is unknown, the previous values stay. */
void scan_permissions(int root_fd, struct snapshot *s);

/* The kind of the active IOMMU: "intel", "amd", "arm-smmu", "virtio", "other", "none", or
 * "unknown". */
const char *scan_iommu(int root_fd);
