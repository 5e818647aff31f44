/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Physical and virtual functions, from /sys. Reads nothing that takes a device lock: sriov_numvfs
 * does, so the links to the virtual functions are counted instead. */
#pragma once

#include "model/snapshot.h"

/* Reads how many virtual functions d->addr supports and has, and whether autoprobe is disabled for
 * them. Returns 0 or negative errno: then *d is unchanged. */
int vfs_read(int root_fd, struct device *d);

/* Lists the virtual functions of a physical function, unsorted. *ret is malloc'ed. Returns 0 or
 * negative errno. */
int vfs_list(int root_fd, struct pci_addr pf, struct pci_addr **ret, size_t *ret_n);

/* Stores the physical function of d->addr in d->pf if the link names a device. Returns 1, 0 (not a
 * virtual function) or negative errno. */
int vfs_read_physical(int root_fd, struct device *d);

/* The number of a virtual function among those of d->pf, as in d->vf_number. Returns 0 or negative
 * errno. */
int vfs_read_number(int root_fd, struct device *d);
