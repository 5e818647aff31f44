/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/bus-folder.h"

#include <fcntl.h>

#include "base/rootfs.h"
#include "base/util.h"

int bus_folder_open(struct bus_folder *f, int root_fd, struct pci_addr a)
{
    char path[PCI_ADDR_MAX + 32];

    if (f->fd >= 0 && f->domain == a.domain && f->bus == a.bus)
        return f->fd;
    bus_folder_close(f);
    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/..", pci_addr_text(a).s);
    f->fd = rootfs_open(root_fd, path, O_PATH | O_DIRECTORY);
    f->domain = a.domain;
    f->bus = a.bus;
    return f->fd;
}

void bus_folder_close(struct bus_folder *f)
{
    closep(&f->fd);
    f->fd = -1;
}
