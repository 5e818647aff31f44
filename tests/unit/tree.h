/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up host below a temporary folder: /sys/bus/pci as far as the programs look at it. Removed
 * by tree_done(). Each device is a real folder, with links to its driver and IOMMU group. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/rootfs.h"

struct tree {
    char path[64];
    int fd;
};

/* Not check's own: the fault tests, which run outside of it, make trees as well. */
static inline void tree_must(bool done, const char *path)
{
    if (done)
        return;
    perror(path);
    abort();
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
                                  struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void tree_done(struct tree *t)
{
    close(t->fd);
    nftw(t->path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void tree_mkdir(const char *path)
{
    char part[512];

    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return;
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
        mkdir(part, 0755);
    }
    mkdir(path, 0755);
}

static inline void tree_write(const struct tree *t, const char *path, const char *text)
{
    char full[512];

    tree_must(*t->path, "a tree without a path would be the host itself");
    snprintf(full, sizeof(full), "%s/%s", t->path, path);
    *strrchr(full, '/') = '\0';
    tree_mkdir(full);
    snprintf(full, sizeof(full), "%s/%s", t->path, path);
    CLEANUP(fclosep) FILE *f = fopen(full, "w");
    tree_must(f != NULL, full);
    fputs(text, f);
}

static inline char *tree_read(const struct tree *t, const char *path)
{
    char *text;
    size_t size;

    if (rootfs_read_file(t->fd, path, 1 << 20, &text, &size) < 0)
        return strdup("");
    return text;
}

static inline void tree_link(const struct tree *t, const char *path, const char *target)
{
    char full[512];

    tree_must(*t->path, "a tree without a path would be the host itself");
    snprintf(full, sizeof(full), "%s/%s", t->path, path);
    unlink(full);
    *strrchr(full, '/') = '\0';
    tree_mkdir(full);
    snprintf(full, sizeof(full), "%s/%s", t->path, path);
    tree_must(symlink(target, full) == 0, full);
}

/* modalias as the kernel writes it: pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00. */
static inline void tree_device(const struct tree *t, const char *address, const char *modalias,
                               const char *driver, const char *group)
{
    char path[256], target[256];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/modalias", address);
    tree_write(t, path, modalias);
    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver_override", address);
    tree_write(t, path, "");
    if (driver) {
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", address);
        snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
        tree_link(t, path, target);
    }
    if (!group)
        return;
    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/iommu_group", address);
    snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%s", group);
    tree_link(t, path, target);
    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/devices/%s", group, address);
    tree_link(t, path, "x");
}

/* A folder in /sys of something with a device node. */
static inline void tree_node(const struct tree *t, const char *path, const char *number,
                             const char *subsystem)
{
    char full[256], target[64];

    snprintf(full, sizeof(full), "%s/dev", path);
    tree_write(t, full, number);
    snprintf(full, sizeof(full), "%s/subsystem", path);
    snprintf(target, sizeof(target), "../../../class/%s", subsystem);
    tree_link(t, full, target);
}

/* A network interface's folder. */
static inline void tree_interface(const struct tree *t, const char *path, const char *flags,
                                  const char *mac)
{
    char full[256];

    snprintf(full, sizeof(full), "%s/ifindex", path);
    tree_write(t, full, "2\n");
    snprintf(full, sizeof(full), "%s/flags", path);
    tree_write(t, full, flags);
    snprintf(full, sizeof(full), "%s/address", path);
    tree_write(t, full, mac);
}

static inline void tree_driver(const struct tree *t, const char *driver)
{
    char path[256];

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/bind", driver);
    tree_write(t, path, "");
    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", driver);
    tree_write(t, path, "");
}

static inline void tree_init(struct tree *t)
{
    umask(022); /* a policy that others can write would take no device */
    snprintf(t->path, sizeof(t->path), "/tmp/vfio-bindd-test.XXXXXX");
    tree_must(mkdtemp(t->path) != NULL, t->path);
    t->fd = rootfs_open_root(t->path);
    tree_must(t->fd >= 0, t->path);
}

#define MODALIAS_A100 "pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00\n"
#define MODALIAS_AUDIO "pci:v000010DEd00001AEFsv000010DEsd00001463bc04sc03i00\n"
#define MODALIAS_NIC "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00\n"
