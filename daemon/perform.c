/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perform.h"

#include <errno.h>
#include <fcntl.h>

#include "rootfs.h"
#include "util.h"

static int write_file(int root_fd, const char *path, const char *text)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_WRONLY | O_NOCTTY);

    if (fd < 0)
        return fd;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Opening the group fails with EBUSY while anybody has it or a device of it; while we have it
 * nobody else can. It does not hinder an unbind. Kept until the job is done. */
static int hold_group(int root_fd, const char *group, int *held_fd)
{
    char path[DRIVER_NAME_MAX + 16];

    snprintf(path, sizeof(path), "dev/vfio/%s", group);
    *held_fd = rootfs_open(root_fd, path, O_RDWR | O_NOCTTY);
    return *held_fd < 0 ? *held_fd : 0;
}

int perform(int root_fd, const struct op *op, int *held_fd)
{
    struct pci_addr_text address = pci_addr_text(op->addr);
    char path[160];

    switch (op->kind) {
    case ACTION_OVERRIDE:
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver_override", address.s);
        return write_file(root_fd, path, op->driver);
    case ACTION_UNBIND:
        snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", op->driver);
        return write_file(root_fd, path, address.s);
    case ACTION_BIND:
        snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/bind", op->driver);
        return write_file(root_fd, path, address.s);
    case ACTION_HOLD:
        return hold_group(root_fd, op->driver, held_fd);
    case ACTION_CLEAR: /* a write of no bytes would do nothing */
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver_override", address.s);
        return write_file(root_fd, path, "\n");
    case ACTION_PROBE:
        return write_file(root_fd, "sys/bus/pci/drivers_probe", address.s);
    case ACTION_MAX:
        break;
    }
    return -EINVAL;
}
