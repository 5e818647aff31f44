/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a kernel module, by modprobe and its rules. */
#pragma once

/* A variant of vfio-pci's, as the modules' aliases say, or what a virtual IOMMU needs. Returns 1, 0
 * or negative errno. */
int load_module_is_permitted(int root_fd, const char *module);

/* Returns 0 when modprobe has run, with whatever success: whether a driver is there, the asker
 * looks for itself. Or negative errno. */
int load_module(const char *module);
