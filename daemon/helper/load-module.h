/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a kernel module with modprobe, whose configuration applies. */
#pragma once

/* Is it a variant of vfio-pci, according to the modules' aliases, or a module that a virtual IOMMU
 * needs? Returns 1, 0 or negative errno. */
int load_module_is_permitted(int root_fd, const char *module);

/* Returns 0 once modprobe has run, even if it failed: the caller checks whether the driver is
 * there. Otherwise returns negative errno. */
int load_module(const char *module);
