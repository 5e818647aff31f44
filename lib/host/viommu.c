/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/viommu.h"

#include <errno.h>
#include <limits.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "host/modules.h"
#include "host/pci-files.h"

#define TABLES "sys/firmware/acpi/tables"
#define TABLE_MAX 65536
#define MODALIAS "virtio:d00000017v00001AF4"
#define VENDOR 0x1af4
#define DEVICE 0x1057

int viommu_is_loaded(int root_fd)
{
    int r = rootfs_exists(root_fd, "sys/bus/virtio/drivers/" VIOMMU_MODULE);

    return r != 0 ? r : rootfs_exists(root_fd, "sys/module/" VIOMMU_MODULE);
}

/* The entry of a virtio-iommu has the name of its parent (an address on the PCI bus) and is below a
 * virtio device. */
static int is_virtio(DIR *dir, const char *name)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(dirfd(dir), name, target, sizeof(target) - 1);

    if (n < 0 && errno != EINVAL && fact_error(-errno) < 0)
        return -errno;
    target[n > 0 ? n : 0] = '\0';
    return after_prefix(name, "virtio") || strstr(target, "/virtio");
}

/* smmu.0x…, smmu3.0x… */
static int is_smmu(DIR *dir, const char *name)
{
    (void)dir;
    return !!after_prefix(name, "smmu");
}

/* Does the host have an IOMMU of this kind? */
static int is_there(int root_fd, int (*is_kind)(DIR *dir, const char *name))
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, "sys/class/iommu", &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        r = is_kind(dir, e->d_name);
        if (r != 0)
            return r;
    }
    return r;
}

int viommu_is_at_work(int root_fd)
{
    return is_there(root_fd, is_virtio);
}

/* Does the IOMMU's PCI function exist? The iommu-map of a device tree is not read, so it may serve
 * any device. */
static int has_function(int root_fd)
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, PCI_DEVICES, &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        struct device d = {.group = NO_GROUP};
        r = pci_addr_parse(e->d_name, &d.addr) < 0 ? 0 : pci_identify(root_fd, &d);
        if (r > 0 && d.vendor == VENDOR && d.device == DEVICE)
            return 1;
        r = r < 0 ? r : 0;
    }
    return r;
}

/* If only root may read the table, or it is too long, the IOMMU may serve any device. */
static int read_table(int root_fd, struct viommu *v)
{
    CLEANUP_FREE char *table = NULL;
    size_t size;
    int r = rootfs_read_file(root_fd, TABLES "/VIOT", TABLE_MAX, &table, &size);

    if (fact_is_gone(r))
        return 0;
    if (r < 0 && r != -EACCES && r != -EPERM && r != -EFBIG)
        return r;
    v->announced = true;
    v->for_all = r < 0 || !viot_read(table, size, &v->viot);
    return 0;
}

/* If there are no ACPI tables, a device tree may describe the host. */
static int read_announcement(int root_fd, struct viommu *v)
{
    int r = read_table(root_fd, v), tables;

    if (r < 0 || v->announced)
        return r;
    tables = rootfs_exists(root_fd, TABLES);
    if (tables != 0)
        return tables < 0 ? tables : 0;
    r = rootfs_exists(root_fd, "sys/firmware/devicetree");
    if (r > 0)
        r = has_function(root_fd);
    v->announced = v->for_all = r > 0;
    return r < 0 ? r : 0;
}

/* Returns 1 only if the list of modules could be read and has no such driver. */
static int lacks_driver(int root_fd)
{
    struct module_names names = {0};
    char folder[MODULES_FOLDER_MAX];
    int r = viommu_is_loaded(root_fd);

    if (r != 0)
        return r < 0 ? r : 0;
    r = modules_find_folder(root_fd, folder);
    if (r <= 0)
        return r;
    r = modules_native(root_fd, folder, MODALIAS, &names);
    return r < 0 ? fact_error(r) : names.n == 0;
}

int viommu_read(int root_fd, struct viommu *ret)
{
    *ret = (struct viommu){0};
    int r = is_there(root_fd, is_smmu);

    ret->smmu = r > 0;
    if (r >= 0)
        r = read_announcement(root_fd, ret);
    if (r < 0 || !ret->announced)
        return r;
    r = viommu_is_at_work(root_fd);
    ret->at_work = r > 0;
    if (r == 0) {
        r = lacks_driver(root_fd);
        ret->no_driver = r > 0;
    }
    return r < 0 ? r : 0;
}

enum outlook viommu_outlook(const struct viommu *v, struct pci_addr a)
{
    if (!v->announced || (!v->for_all && !viot_covers(&v->viot, a)))
        return v->smmu ? OUTLOOK_AT_BIND : OUTLOOK_NONE;
    return v->at_work ? OUTLOOK_AT_BIND : v->no_driver ? OUTLOOK_NO_DRIVER : OUTLOOK_AWAITED;
}
