/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys → snapshot. Reads nothing that takes a device's lock (uevent, driver_override,
 * sriov_numvfs): while a driver's remove() hangs, those block for ever; modalias, links and
 * directories never do. Any file may vanish between two reads: the device is then left out. What
 * cannot be read for another reason (fact.h) stays as it was before, and the device says so in
 * `unknown`: no error makes a device, its use or its driver vanish. */
#pragma once

#include "model/snapshot.h"
#include "policy/policy.h"

/* Takes a snapshot of the tree below root_fd. Devices that no rule of the policy can concern are
 * only identified (3 system calls each). If the policy is NULL, everything is read of every device.
 * `ret` must be empty; call snapshot_done() also on failure. Returns 0, -ENOENT (no /sys/bus/pci)
 * or -ENOMEM. */
int scan_all(int root_fd, const struct policy *p, struct snapshot *ret);

/* The same, but what cannot be read now is taken from `before`; NULL: nothing was known. */
int scan_again(int root_fd, const struct policy *p, const struct snapshot *before,
               struct snapshot *ret);

/* Reads one device anew into the snapshot, in detail; if a rule can concern it, also the functions
 * of its slot and the members of its group that lack details. Drops the device from the snapshot if
 * it is gone. Returns 0 or -ENOMEM. */
int scan_device(int root_fd, const struct policy *p, struct pci_addr a, struct snapshot *s);

/* The same for several; what is about the host as a whole is read once for all. */
int scan_devices(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                 struct snapshot *s);

/* Reads d->order anew. scan_device() keeps the order of the device that the snapshot had at this
 * address, which may have been another one. */
void scan_order(int root_fd, struct device *d);

/* Reads anew what a bind changes: the driver and the group's node, 1 or 2 system calls for each
 * device. For devices that were just bound; a device that is not on a VFIO driver is read whole.
 * Returns 0 or -ENOMEM. */
int scan_bindings(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                  struct snapshot *s);

/* A file in /run/vfio-bindd: it is there once the boot is over (vfio-bindd-booted.service). */
#define SCAN_BOOTED_FILE "booted"

/* Looks again whether the host is still coming up; while that is unknown, it stays as it was. */
void scan_boot(int root_fd, struct snapshot *s);

/* Looks again which drivers the PCI bus has, and in which order they were registered. If that is
 * unknown, they stay as they were, and the snapshot says so. Returns 0 or -ENOMEM. */
int scan_drivers(int root_fd, struct snapshot *s);

/* Which kind of IOMMU is at work: "intel", "amd", "arm-smmu", "virtio", "other", or "none". */
const char *scan_iommu(int root_fd);
