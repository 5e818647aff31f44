/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel has an address for each BAR of a device, from its file "resource". If one has
 * none, pci_enable_device() fails with EINVAL, and so does opening the device through VFIO: the
 * driver binds, but no virtual machine can start. That happens at boot, if the windows of the
 * bridges above are too small (large BARs without "Above 4G decoding"), and at hot-plug: to make
 * room for a new device, the kernel may take the windows of other bridges away, with the BARs below
 * them. Reading the file takes no device lock. */
#pragma once

#include <stdint.h>

#include "model/address.h"

#define BARS 6

/* Sets bit N of *ret for each BAR N without an address. Returns 0 or negative errno; a device
 * without the file has none. */
int bar_addresses_missing(int root_fd, struct pci_addr a, uint16_t *ret);
