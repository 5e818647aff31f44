/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "viommu.h"

#include <errno.h>
#include <limits.h>

#include "modules.h"
#include "rootfs.h"
#include "scan-device.h"
#include "util.h"

#define TABLES "sys/firmware/acpi/tables"
#define TABLE_MAX 65536
#define MODALIAS "virtio:d00000017v00001AF4"
#define VENDOR 0x1af4
#define DEVICE 0x1057

bool viommu_is_loaded(int root_fd)
{
    return scan_exists(root_fd, "sys/bus/virtio/drivers/" VIOMMU_MODULE) ||
           scan_exists(root_fd, "sys/module/" VIOMMU_MODULE);
}

/* Its entry is called after the bus's device (its address where that is PCI), and lies below a
 * virtio device. */
bool viommu_is_at_work(int root_fd)
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, "sys/class/iommu", &dir);

    while (dir && (e = readdir(dir))) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        if (after_prefix(e->d_name, "virtio") || strstr(target, "/virtio"))
            return true;
    }
    return false;
}

/* A device tree's iommu-map is not read: it may be for any device. */
static bool has_function(int root_fd)
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, SCAN_DEVICES, &dir);

    while (dir && (e = readdir(dir))) {
        struct device d = {.group = NO_GROUP};
        if (pci_addr_parse(e->d_name, &d.addr) == 0 && scan_identify(root_fd, &d) &&
            d.vendor == VENDOR && d.device == DEVICE)
            return true;
    }
    return false;
}

static void read_announcement(int root_fd, struct viommu *v)
{
    CLEANUP_FREE char *table = NULL;
    size_t size;
    int r = rootfs_read_file(root_fd, TABLES "/VIOT", TABLE_MAX, &table, &size);

    v->announced = r == 0 || scan_exists(root_fd, TABLES "/VIOT");
    if (r == 0)
        v->for_all = !viot_read(table, size, &v->viot);
    else
        v->for_all = true;
    if (!v->announced)
        v->announced = !scan_exists(root_fd, TABLES) &&
                       scan_exists(root_fd, "sys/firmware/devicetree") && has_function(root_fd);
}

/* Only a list of modules that was read tells that there is none. */
static bool lacks_driver(int root_fd)
{
    struct module_names names = {0};
    char folder[MODULES_FOLDER_MAX];

    return !viommu_is_loaded(root_fd) && modules_folder(root_fd, folder) &&
           modules_native(root_fd, folder, MODALIAS, &names) == 0 && names.n == 0;
}

void viommu_read(int root_fd, struct viommu *ret)
{
    *ret = (struct viommu){0};
    read_announcement(root_fd, ret);
    ret->at_work = ret->announced && viommu_is_at_work(root_fd);
    ret->no_driver = ret->announced && !ret->at_work && lacks_driver(root_fd);
}

enum outlook viommu_outlook(const struct viommu *v, struct pci_addr a)
{
    if (!v->announced || (!v->for_all && !viot_covers(&v->viot, a)))
        return OUTLOOK_NONE;
    return v->at_work ? OUTLOOK_AT_BIND : v->no_driver ? OUTLOOK_NO_DRIVER : OUTLOOK_AWAITED;
}
