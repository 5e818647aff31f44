/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys → snapshot. Reads nothing that takes a device lock (uevent, driver_override, sriov_numvfs):
 * those block forever while a driver's remove() hangs; modalias, links and directories never do.
 * Any file may disappear between two reads: the device is then left out. What cannot be read for
 * another reason (fact.h) keeps its previous value, and the device has a note of that in `unknown`:
 * an error never makes a device, its use or its driver disappear. */
#pragma once

#include "model/snapshot.h"
#include "policy/policy.h"

/* Takes a snapshot of the tree below root_fd. Devices that no rule can match are only identified (3
 * system calls each). If the policy is NULL, everything is read of every device. `ret` must be
 * empty; call snapshot_done() also on failure. Returns 0, -ENOENT (no /sys/bus/pci) or -ENOMEM. */
int scan_all(int root_fd, const struct policy *p, struct snapshot *ret);

/* The same, but what cannot be read is copied from `before`, which may be NULL. */
int scan_again(int root_fd, const struct policy *p, const struct snapshot *before,
               struct snapshot *ret);

/* Reads one device again, in detail; if a rule can match it, also the functions of its slot and the
 * members of its group that lack details. Drops the device from the snapshot if it is gone. Returns
 * 0 or -ENOMEM. */
int scan_device(int root_fd, const struct policy *p, struct pci_addr a, struct snapshot *s);

/* The same for several devices; properties of the host as a whole are read once. */
int scan_devices(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                 struct snapshot *s);

/* Reads whether the BARs have addresses: 3 system calls for each device on a VFIO driver that was
 * not examined yet, or, if `again`, for all that are on one: the kernel can take BARs from any
 * device when another one is plugged in. scan_all() leaves this out, since nothing that is done
 * with a device depends on it. Returns whether anything has changed. */
bool scan_bars(int root_fd, bool again, struct snapshot *s);

/* Reads d->order again. scan_device() keeps the order of the device that the snapshot had at this
 * address, which may have been another one. */
void scan_order(int root_fd, struct device *d);

/* Reads again what a bind changes: the driver and the group's node, 1 or 2 system calls for each
 * device. For devices that were just bound; a device that is not on a VFIO driver is read
 * completely. Returns 0 or -ENOMEM. */
int scan_bindings(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                  struct snapshot *s);
