/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /sys tells of physical and virtual functions. Reads nothing that takes a device's lock:
 * sriov_numvfs does, so the links to the virtual functions are counted instead. */
#pragma once

#include "model/snapshot.h"

/* Reads how many virtual functions d->addr can have and has, and whether they are fenced. Returns 0
 * or negative errno: then *d is unchanged. */
int vfs_read(int root_fd, struct device *d);

/* Lists the virtual functions of a physical one, in no order. *ret is malloc'ed. Returns 0 or
 * negative errno. */
int vfs_list(int root_fd, struct pci_addr pf, struct pci_addr **ret, size_t *ret_n);

/* The physical function of d->addr goes to d->pf, as far as the link names a device. Returns 1, 0
 * (it is no virtual function) or negative errno. */
int vfs_read_physical(int root_fd, struct device *d);

/* The number of a virtual function among those of d->pf, as in d->vf_number. Returns 0 or negative
 * errno. */
int vfs_read_number(int root_fd, struct device *d);
