/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the users of a device just before it is taken away. Used only in worker processes. The
 * search needs capabilities that the daemon does not have, so vfio-bindd-helper does it; if the
 * helper is not installed (in an initramfs, with --root), the worker does. If users cannot be seen,
 * the device does not count as free. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "channel/helper-message.h"
#include "write/hold.h"

#define FOUND_MAX HELPER_TEXT_MAX

/* Keeps an IOMMU group from virtual machines (hold.h). -EBUSY: somebody has it or one of its
 * devices, and `found` names the user if that can be seen. Returns 0 or negative errno. */
int users_hold(int root_fd, uint32_t group, struct pci_addr a, struct hold **ret,
               char found[static FOUND_MAX]);

/* Searches for processes that have one of these devices open, and for claims in the kernel. Returns
 * 0; -EBUSY, and `found` names the user; or -EAGAIN, and `found` says why nothing could be seen. */
int users_check(int root_fd, const struct pci_addr *addrs, size_t n, char found[static FOUND_MAX]);
