/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/request.h"

#include "base/rootfs.h"
#include "base/util.h"

struct caller caller_make(uint32_t uid, pid_t pid, const char *means)
{
    struct caller c = {.uid = uid, .pid = pid, .means = means};
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/"); /* processes are there, whatever --root */

    if (root_fd < 0 || pid <= 0 || process_unit(root_fd, pid, c.unit) < 0 ||
        process_is_of_user(root_fd, pid, uid) <= 0)
        c.unit[0] = '\0';
    return c;
}
