/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/nodes.h"

/* Makes the path of the block device's node. The kernel's name has '!' for each '/' below /dev.
 * Returns 1, 0 or negative errno. */
static int node_path(int root_fd, dev_t number, char path[static NAME_MAX + 8])
{
    char link[64], name[NAME_MAX + 1];

    snprintf(link, sizeof(link), "sys/dev/block/%u:%u", major(number), minor(number));
    int r = rootfs_link_name(root_fd, link, name);
    if (r <= 0)
        return r;
    for (char *p = name; (p = strchr(p, '!'));)
        *p = '/';
    snprintf(path, NAME_MAX + 8, "/dev/%s", name);
    return 1;
}

/* Returns 1, 0 or negative errno. Without O_NONBLOCK, opening an empty drive would wait for a
 * medium. */
static int is_claimed(int root_fd, dev_t number, const char *path)
{
    CLEANUP_CLOSE int fd =
        rootfs_open(root_fd, path + 1, O_RDONLY | O_EXCL | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    struct stat st;

    if (fd == -EBUSY)
        return 1;
    if (fd < 0)
        return fd == -ENOMEDIUM ? 0 : fact_error(fd);
    if (fstat(fd, &st) < 0)
        return -errno;
    return S_ISBLK(st.st_mode) && st.st_rdev == number ? 0
                                                       : -ESTALE; /* the node of another device */
}

int claims_find(int root_fd, struct pci_addr a, char node[static NAME_MAX + 8])
{
    CLEANUP(nodes_done) struct nodes nodes = {0};
    int r = nodes_of(root_fd, a, &nodes), q = 0;

    for (size_t i = 0; q == 0 && i < nodes.n; i++) {
        if (!nodes.v[i].block)
            continue;
        q = node_path(root_fd, nodes.v[i].number, node);
        if (q > 0)
            q = is_claimed(root_fd, nodes.v[i].number, node);
    }
    return q != 0 ? q : r;
}
