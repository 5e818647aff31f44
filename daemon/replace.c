/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/util.h"

int replace_file(int dir_fd, const char *name, mode_t mode, const char *bytes, size_t size)
{
    char temporary[NAME_MAX + 1];
    int r;

    if (snprintf(temporary, sizeof(temporary), ".%s.new", name) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    /* Removes a file that was left by a killed run, or put there by the owner of the folder. */
    if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
        return -errno;
    CLEANUP_CLOSE int fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = write_all(fd, bytes, size);
    if (r >= 0 && fchmod(fd, mode) < 0)
        r = -errno;
    if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(dir_fd, temporary, 0);
    return r;
}
