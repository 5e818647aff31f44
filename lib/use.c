/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "use.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <pci/pci.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "rootfs.h"
#include "util.h"

#define STACK_MAX 8 /* layers of device mapper and md */

static bool is_below(const char *path, struct pci_addr a)
{
    char part[PCI_ADDR_MAX + 2];

    snprintf(part, sizeof(part), "/%s/", pci_addr_text(a).s);
    return strstr(path, part) != NULL;
}

/* With multipath an NVMe disk hangs below its subsystem, which names its controllers. */
static bool subsystem_is_on(int root_fd, const char *target, struct pci_addr a)
{
    const char *name = strstr(target, "/nvme-subsystem/");
    char path[PATH_MAX], controller[PATH_MAX];
    const struct dirent *e;

    if (!name)
        return false;
    name += strlen("/nvme-subsystem/");
    snprintf(path, sizeof(path), "sys/class/nvme-subsystem/%.*s", (int)strcspn(name, "/"), name);
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, path, &dir);
    while (dir && (e = readdir(dir))) {
        char link[PATH_MAX + NAME_MAX + 2];
        if (!after_prefix(e->d_name, "nvme"))
            continue;
        snprintf(link, sizeof(link), "%s/%s", path, e->d_name);
        ssize_t n = readlinkat(root_fd, link, controller, sizeof(controller) - 1);
        if (n > 0) {
            controller[n] = '\0';
            if (is_below(controller, a))
                return true;
        }
    }
    return false;
}

/* Is the block device, or one that it is stacked on, the PCI device's? `link` is its link below
 * /sys/dev/block or /sys/class/block. */
static bool block_is_on(int root_fd, const char *link, struct pci_addr a, unsigned depth)
{
    char target[PATH_MAX], path[PATH_MAX];
    const struct dirent *e;
    ssize_t n = readlinkat(root_fd, link, target, sizeof(target) - 1);

    if (n <= 0 || depth > STACK_MAX)
        return false;
    target[n] = '\0';
    if (is_below(target, a) || subsystem_is_on(root_fd, target, a))
        return true;
    snprintf(path, sizeof(path), "%.*s/slaves", PATH_MAX - 16, link);
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, path, &dir);
    while (dir && (e = readdir(dir))) {
        snprintf(path, sizeof(path), "sys/class/block/%s", e->d_name);
        if (e->d_name[0] != '.' && block_is_on(root_fd, path, a, depth + 1))
            return true;
    }
    return false;
}

bool use_block_is_on(int root_fd, const char *name, struct pci_addr a)
{
    char path[NAME_MAX + 32];

    snprintf(path, sizeof(path), "sys/class/block/%.*s", NAME_MAX, name);
    return block_is_on(root_fd, path, a, 0);
}

static bool number_is_on(int root_fd, unsigned major, unsigned minor, struct pci_addr a)
{
    char path[64];

    snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major, minor);
    return block_is_on(root_fd, path, a, 0);
}

/* By its name in /dev; some file systems (btrfs) have no device number of their own. */
static bool node_is_on(int root_fd, const char *node, struct pci_addr a)
{
    struct stat st;

    /* Any other source may lie on a dead NFS server, where stat() blocks for ever. */
    return after_prefix(node, "/dev/") && !strstr(node, "..") &&
           fstatat(root_fd, node + 1, &st, 0) == 0 && S_ISBLK(st.st_mode) &&
           number_is_on(root_fd, major(st.st_rdev), minor(st.st_rdev), a);
}

static char *words(const char *before, const char *what, const char *after)
{
    char *text;

    return asprintf(&text, "%s %s%s", before, what, after) < 0 ? NULL : text;
}

static char *mounted(int root_fd, struct pci_addr a)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    char *rest, *line;

    /* The host's mounts: ProtectHome= and the like hide some from our own namespace. */
    if (rootfs_read_file(root_fd, "proc/1/mountinfo", 4 << 20, &text, &size) < 0 &&
        rootfs_read_file(root_fd, "proc/self/mountinfo", 4 << 20, &text, &size) < 0)
        return NULL;
    for (rest = text; (line = strsep(&rest, "\n"));) {
        unsigned major_number, minor_number;
        char where[256], source[256];
        const char *after = strstr(line, " - ");
        if (sscanf(line, "%*u %*u %u:%u %*s %255s", &major_number, &minor_number, where) != 3)
            continue;
        if (!after || sscanf(after, " - %*s %255s", source) != 1)
            source[0] = '\0';
        if (number_is_on(root_fd, major_number, minor_number, a) || node_is_on(root_fd, source, a))
            return words("has the file system mounted on", where, "");
    }
    return NULL;
}

static char *swapped_to(int root_fd, struct pci_addr a)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    char *rest, *line;

    if (rootfs_read_file(root_fd, "proc/swaps", 1 << 20, &text, &size) < 0)
        return NULL;
    for (rest = text; (line = strsep(&rest, "\n"));) {
        char node[256];
        if (sscanf(line, "%255s", node) == 1 && node_is_on(root_fd, node, a))
            return words("has the swap space", node, "");
    }
    return NULL;
}

/* Device mapper, md, bcache: whatever has slaves. */
static char *stacked_on(int root_fd, struct pci_addr a)
{
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, "sys/class/block", &dir);
    const struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char path[PATH_MAX], target[PATH_MAX];
        snprintf(path, sizeof(path), "sys/class/block/%s", e->d_name);
        ssize_t n = readlinkat(root_fd, path, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (strstr(target, "/virtual/") && block_is_on(root_fd, path, a, 0))
            return words("is part of the block device", e->d_name, "");
    }
    return NULL;
}

/* `folder` is one with a network interface's folder for each entry. */
static char *interface_up_in(int root_fd, const char *folder)
{
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, folder, &dir);
    const struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char path[PATH_MAX], text[32];
        snprintf(path, sizeof(path), "%s/%s/flags", folder, e->d_name);
        if (e->d_name[0] != '.' && rootfs_read_line(root_fd, path, text, sizeof(text)) > 0 &&
            strtoul(text, NULL, 16) & IFF_UP)
            return words("has the network interface", e->d_name, ", which is up");
    }
    return NULL;
}

/* The interfaces of the device itself, or of the virtio device that it carries. */
static char *interface_up(int root_fd, struct pci_addr a)
{
    char device[64], path[NAME_MAX + 80];
    const struct dirent *e;
    char *use;

    snprintf(device, sizeof(device), "sys/bus/pci/devices/%s", pci_addr_text(a).s);
    snprintf(path, sizeof(path), "%s/net", device);
    use = interface_up_in(root_fd, path);
    CLEANUP(closedirp) DIR *dir = NULL;
    if (!use)
        (void)rootfs_open_dir(root_fd, device, &dir);
    while (!use && dir && (e = readdir(dir)))
        if (after_prefix(e->d_name, "virtio")) {
            snprintf(path, sizeof(path), "%s/%s/net", device, e->d_name);
            use = interface_up_in(root_fd, path);
        }
    return use;
}

char *use_of(int root_fd, const struct device *d)
{
    char *use = NULL;

    if (d->class_code >> 16 == PCI_BASE_CLASS_NETWORK)
        return interface_up(root_fd, d->addr);
    if (d->class_code >> 16 != PCI_BASE_CLASS_STORAGE &&
        d->class_code >> 8 != PCI_CLASS_SERIAL_FIBER)
        return NULL;
    use = mounted(root_fd, d->addr);
    if (!use)
        use = swapped_to(root_fd, d->addr);
    return use ? use : stacked_on(root_fd, d->addr);
}
