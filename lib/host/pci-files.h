/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of one PCI device in /sys. Reads nothing that takes the device lock. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "model/snapshot.h"

#define PCI_DEVICES "sys/bus/pci/devices"

/* The last component of a symbolic link's target. Returns 1, 0 (there is no such link) or negative
 * errno; buf is only written if it returns 1. */
int pci_link_name(int root_fd, struct pci_addr a, const char *name, char buf[static NAME_MAX + 1]);

/* Reads the modalias of the device at d->addr: 3 system calls. Returns 1, 0 (it is gone) or
 * negative errno; *d is only written if it returns 1. */
int pci_identify(int root_fd, struct device *d);

/* The IOMMU group; *ret is NO_GROUP if it has none. Returns 0 or negative errno. */
int pci_group(int root_fd, struct pci_addr a, uint32_t *ret);

/* Does this file exist? Returns 1, 0 or negative errno. */
int pci_has_attribute(int root_fd, struct pci_addr a, const char *name);

/* The first line of this file, as rootfs_read_line(). */
int pci_read_attribute(int root_fd, struct pci_addr a, const char *name, char *buf, size_t size);

/* An attribute that plans do not need, for display: numa_node, power_state, reset_method. Returns
 * buf, which is empty if the attribute does not exist. */
char *pci_attribute(int root_fd, struct pci_addr a, const char *name, char *buf, size_t size);

/* Does the device's driver link name this driver right now? */
bool pci_has_driver(int root_fd, struct pci_addr a, const char *driver);

/* Does the device have virtual functions right now? (No event of the device announces them.)
 * Returns 1, 0 or negative errno. */
int pci_has_vfs(int root_fd, struct pci_addr a);

#define PCI_CONFIG_HEADER 64

/* Do the first bytes of a configuration space come from a device? One that does not answer reads as
 * ones. */
bool pci_config_answers(const uint8_t config[static PCI_CONFIG_HEADER]);
