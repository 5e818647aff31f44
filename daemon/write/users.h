/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a device, asked just before it is taken away. Called in worker processes alone. Seeing
 * that takes capabilities that the daemon does not have, so vfio-bindd-helper looks; where it is
 * not installed (an initramfs, --root) the worker does. Not seen is not free. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "channel/helper-message.h"
#include "write/hold.h"

#define FOUND_MAX HELPER_TEXT_MAX

/* Keeps an IOMMU group from virtual machines (hold.h). -EBUSY: somebody has it or a device of it,
 * and `found` then says who, if that can be seen. Returns 0 or negative errno. */
int users_hold(int root_fd, uint32_t group, struct pci_addr a, struct hold **ret,
               char found[static FOUND_MAX]);

/* Looks for processes that have one of these devices open, and for claims of the kernel. Where it
 * cannot be seen, a device counts as in use. Returns 0 or -EBUSY, and `found` then says who. */
int users_check(int root_fd, const struct pci_addr *addrs, size_t n, char found[static FOUND_MAX]);
