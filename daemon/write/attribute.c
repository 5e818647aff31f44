/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/attribute.h"

#include <errno.h>
#include <fcntl.h>

#include "base/rootfs.h"
#include "base/util.h"

int attribute_write(int root_fd, const char *path, const char *text)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_WRONLY | O_NOCTTY);

    if (fd < 0)
        return fd;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}
