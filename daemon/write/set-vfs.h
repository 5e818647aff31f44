/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes virtual functions, or takes them away. Called in worker processes alone: the kernel takes
 * the device's lock, and its driver may take seconds, or hang. */
#pragma once

#include <stdbool.h>

#include "write/users.h"

/* What is to be done, as in struct action (plan/plan.h). */
struct vfs_order {
    unsigned number, there;
    bool sets_autoprobe;
};

/* ACTION_SET_VFS. Those that are there are taken away first, unless somebody uses one of them:
 * -EBUSY, and `found` may say who. -ESTALE: there are more than the plan knew. -EIO: the kernel
 * accepted the number, and there is none. Returns 0 or negative errno. */
int set_vfs(int root_fd, struct pci_addr pf, struct vfs_order order, char found[static FOUND_MAX]);

/* ACTION_RESTORE_AUTOPROBE. */
int set_vfs_restore_autoprobe(int root_fd, struct pci_addr pf);
