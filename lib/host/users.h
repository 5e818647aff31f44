/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who uses a device, in words: processes (holders.h) and the kernel itself (claims.h). What may be
 * over in a moment is looked at again: up to two seconds. */
#pragma once

#include "host/holders.h"

#define USERS_TEXT_MAX 192

/* Do processes have one of these devices open, or has the kernel claimed one? Returns 1, and
 * `found` says who; 0; or negative errno: it could not be seen. */
int users_find(int root_fd, const struct asker *asker, const struct pci_addr *addrs, size_t n,
               char found[static USERS_TEXT_MAX]);

/* The same for processes that have a device of a VFIO driver open, or its group. */
int users_find_vfio(int root_fd, const struct asker *asker, uint32_t group, struct pci_addr a,
                    char found[static USERS_TEXT_MAX]);
