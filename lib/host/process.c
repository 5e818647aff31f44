/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/rootfs.h"

int process_read(int root_fd, pid_t pid, struct process *ret)
{
    char path[32], text[512];

    snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
    int r = rootfs_read_line(root_fd, path, text, sizeof(text));
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    const char *after_name = strrchr(text, ')'); /* which may hold blanks and parentheses */
    if (!after_name || sscanf(after_name,
                              ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                              "%*d %*d %*d %llu",
                              &ret->parent, &ret->start) != 2)
        return -EIO;
    return 0;
}
