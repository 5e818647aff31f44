/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/trial-files.h"

#include <fcntl.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "policy/parse.h"

int trial_read(int root_fd, const char *path, char **ret, size_t *ret_size, struct trial *ret_trial,
               char **ret_why)
{
    CLEANUP_FREE char *bytes = NULL;
    bool permit = streq(path, TRIAL_PERMIT);
    struct trial t;
    size_t size;
    int r = rootfs_read_trusted(root_fd, path, POLICY_FILE_MAX, false, &bytes, &size, ret_why);

    if (r >= 0)
        r = trial_parse(bytes, size, &t);
    if (r >= 0 && permit != (t.until == 0))
        r = -EINVAL;
    if (r < 0)
        return r;
    *ret_trial = t;
    *ret_size = size;
    *ret = bytes;
    bytes = NULL;
    return 0;
}

static int remove_durably(int root_fd, const char *folder, const char *path)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, folder, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    if (unlinkat(fd, path + strlen(folder) + 1, 0) < 0)
        return errno == ENOENT ? 0 : -errno;
    return fsync(fd) < 0 ? -errno : 1;
}

int trial_remove_permit(int root_fd)
{
    int r = remove_durably(root_fd, "etc", TRIAL_PERMIT);

    (void)remove_durably(root_fd, TRIAL_LINK_FOLDER, TRIAL_LINK);
    return r;
}

int trial_remove_running(int root_fd)
{
    return remove_durably(root_fd, TRIAL_FOLDER, TRIAL_PATH);
}
