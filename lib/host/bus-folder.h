/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder in /sys/devices where the functions of a PCI bus are: that of the bridge above it. A
 * path through /sys/bus/pci/devices goes along a symbolic link, for which the kernel needs more
 * than twice the time. */
#pragma once

#include "model/address.h"

struct bus_folder {
    int fd; /* -1: none was opened yet */
    uint32_t domain;
    uint8_t bus;
};

#define BUS_FOLDER_NONE ((struct bus_folder){.fd = -1})

/* The folder of the bus of function a, opened anew only where it is not that already: functions
 * should be looked at in the order of their addresses. Below it a function's folder has the
 * function's address for a name; a caller who finds nothing there goes the long way, since the bus
 * may have been unplugged meanwhile. Returns the descriptor, which stays the struct's, or a
 * negative errno (the function is gone). */
int bus_folder_open(struct bus_folder *f, int root_fd, struct pci_addr a);

void bus_folder_close(struct bus_folder *f);
