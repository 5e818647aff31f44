/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creates virtual functions, or removes them. Used only in worker processes: the kernel takes the
 * device's lock, and its driver may take seconds, or hang. */
#pragma once

#include <stdbool.h>

#include "write/users.h"

/* What to do, as in struct action (plan/plan.h). */
struct vfs_order {
    unsigned number, there;
    bool sets_autoprobe;
};

/* ACTION_SET_VFS. Existing virtual functions are removed first, unless one is in use: -EBUSY, and
 * `found` may say by whom. -ESTALE: there are more than the plan knew. -EEXIST: somebody else has
 * created those that are there. -EIO: the kernel accepted the number, but created none. Returns 0
 * or negative errno. */
int set_vfs(int root_fd, struct pci_addr pf, struct vfs_order order, char found[static FOUND_MAX]);

/* ACTION_RESTORE_AUTOPROBE. */
int set_vfs_restore_autoprobe(int root_fd, struct pci_addr pf);
