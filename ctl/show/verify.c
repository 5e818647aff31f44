/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: the policy's errors, as "vfio-bindd --check-policy" tells them. */
#include "policy/verify.h"
#include "base/rootfs.h"
#include "ctl.h"

int verb_verify(const struct ctl *c)
{
    CLEANUP_CLOSE int root_fd = rootfs_open_root(c->root ? c->root : "/");

    if (root_fd < 0)
        return ctl_error("%s: %s", c->root, strerror(-root_fd));
    return policy_verify(root_fd, c->args, (size_t)c->n_args) ? EXIT_SUCCESS : EXIT_FAILURE;
}
