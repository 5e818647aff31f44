/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>

#include "rootfs.h"
#include "util.h"

#define DEPTH_MAX 32 /* folders; a disk behind USB hubs or SAS expanders has about 20 */
#define FOLDERS_MAX 200000
#define NODES_MAX 20000
#define STACK_MAX 8 /* layers of device mapper and md */

struct walk {
    int root_fd;
    struct pci_addr addr;
    bool bridge;
    unsigned folders, layers;
    struct nodes *nodes;
};

void nodes_done(struct nodes *nodes)
{
    free(nodes->v);
    *nodes = (struct nodes){0};
}

const struct node *nodes_find(const struct nodes *nodes, dev_t number, bool block)
{
    for (size_t i = 0; i < nodes->n; i++)
        if (nodes->v[i].number == number && nodes->v[i].block == block)
            return &nodes->v[i];
    return NULL;
}

static int add(struct nodes *nodes, struct pci_addr a, dev_t number, bool block)
{
    if (nodes_find(nodes, number, block))
        return 0;
    if (nodes->n == NODES_MAX)
        return -E2BIG;
    if (!grow(&nodes->v, &nodes->allocated, nodes->n, sizeof(*nodes->v)))
        return -ENOMEM;
    nodes->v[nodes->n++] = (struct node){number, block, a};
    return 0;
}

/* Reads "MAJOR:MINOR". */
static int read_number(int fd, const char *path, dev_t *ret)
{
    char text[32], rest;
    unsigned ma, mi;
    int r = rootfs_read_line(fd, path, text, sizeof(text));

    if (r < 0)
        return r;
    if (sscanf(text, "%9u:%9u%c", &ma, &mi, &rest) != 2)
        return -EINVAL;
    *ret = makedev(ma, mi);
    return 0;
}

/* The last part of a link's target; empty if there is none. */
static const char *link_name(int fd, const char *path, char buf[static PATH_MAX])
{
    ssize_t n = readlinkat(fd, path, buf, PATH_MAX - 1);

    buf[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(buf, '/');
    return slash ? slash + 1 : buf;
}

/* -- the folder in /sys -- */

static int walk(struct walk *w, DIR *dir, unsigned depth);

static int walk_path(struct walk *w, const char *path)
{
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_open_dir(w->root_fd, path, &dir);

    return r == -ENOENT ? 0 : r < 0 ? r : walk(w, dir, 0);
}

static int walk_child(struct walk *w, int parent_fd, const char *name, unsigned depth)
{
    CLEANUP_CLOSE int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) /* gone, or no folder */
        return errno == EACCES || errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno
                                                                                        : 0;
    CLEANUP(closedirp) DIR *dir = fdopendir(fd);
    if (!dir)
        return -errno;
    (void)take_fd(&fd);
    return walk(w, dir, depth);
}

/* `dev` in the folder of something that has a node. */
static int add_own(struct walk *w, int folder_fd)
{
    char target[PATH_MAX];
    dev_t number;
    int r = read_number(folder_fd, "dev", &number);

    if (r < 0) /* gone meanwhile, or it only has this name */
        return 0;
    return add(w->nodes, w->addr, number,
               streq(link_name(folder_fd, "subsystem", target), "block"));
}

static int add_group(struct walk *w, int folder_fd)
{
    char target[PATH_MAX];
    const char *group = link_name(folder_fd, "iommu_group", target);
    int r = nodes_of_group(w->root_fd, group, w->addr, w->nodes);

    return r == -ENOENT ? 0 : r;
}

/* Device mapper, md, bcache: what is stacked on a disk is named in its folder `holders`. */
static int add_stacked(struct walk *w, int disk_fd)
{
    CLEANUP_CLOSE int fd = openat(disk_fd, "holders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    int r = 0;

    if (!dir)
        return 0;
    (void)take_fd(&fd);
    if (++w->layers > STACK_MAX)
        r = -E2BIG;
    while (r == 0 && (e = readdir(dir))) {
        char path[NAME_MAX + 32];
        snprintf(path, sizeof(path), "sys/class/block/%s", e->d_name);
        if (e->d_name[0] != '.')
            r = walk_path(w, path);
    }
    w->layers--;
    return r;
}

/* With multipath the disks of an NVMe controller hang below its subsystem, which names it. */
static int add_subsystem(struct walk *w, const char *controller)
{
    CLEANUP(closedirp) DIR *dir;
    const struct dirent *e;
    int r = rootfs_open_dir(w->root_fd, "sys/class/nvme-subsystem", &dir);

    if (r < 0)
        return 0;
    while (r == 0 && (e = readdir(dir))) {
        char path[2 * NAME_MAX + 32], link[3 * NAME_MAX + 32];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "sys/class/nvme-subsystem/%s", e->d_name);
        snprintf(link, sizeof(link), "%s/%s", path, controller);
        if (faccessat(w->root_fd, link, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            r = walk_path(w, path);
    }
    return r;
}

static bool is_nvme_controller(const char *name)
{
    const char *number = after_prefix(name, "nvme");

    return number && *number && strspn(number, "0123456789") == strlen(number);
}

/* Folders of a device that never hold another device, some of them with one folder a processor. */
static bool is_no_device(const char *name)
{
    static const char *const names[] = {"mq", "power", "queue", "queues", "statistics"};

    return word_index(names, ELEMENTS(names), name) >= 0;
}

static int walk_entry(struct walk *w, DIR *dir, const struct dirent *e, unsigned depth)
{
    struct pci_addr a;
    int r = 0;

    if (streq(e->d_name, "dev"))
        return add_own(w, dirfd(dir));
    if (streq(e->d_name, "holders"))
        return add_stacked(w, dirfd(dir));
    if (streq(e->d_name, "iommu_group"))
        return add_group(w, dirfd(dir));
    if ((e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) || e->d_name[0] == '.' ||
        is_no_device(e->d_name) || (w->bridge && pci_addr_parse(e->d_name, &a) == 0))
        return 0;
    if (depth == DEPTH_MAX)
        return -E2BIG;
    if (is_nvme_controller(e->d_name))
        r = add_subsystem(w, e->d_name);
    return r < 0 ? r : walk_child(w, dirfd(dir), e->d_name, depth + 1);
}

static int walk(struct walk *w, DIR *dir, unsigned depth)
{
    const struct dirent *e;
    int r = ++w->folders > FOLDERS_MAX ? -E2BIG : 0;

    while (r == 0 && (e = readdir(dir)))
        r = walk_entry(w, dir, e, depth);
    return r;
}

int nodes_of_group(int root_fd, const char *group, struct pci_addr a, struct nodes *nodes)
{
    static const char *const prefixes[] = {"", "noiommu-"};
    int r = -ENOENT;

    for (size_t i = 0; r == -ENOENT && *group && i < ELEMENTS(prefixes); i++) {
        char path[PATH_MAX];
        dev_t number;
        snprintf(path, sizeof(path), "sys/class/vfio/%s%.64s/dev", prefixes[i], group);
        r = read_number(root_fd, path, &number);
        if (r == 0)
            r = add(nodes, a, number, false);
    }
    return r;
}

/* -- NVIDIA -- */

/* The driver has one major number, named "nvidia-frontend" in older releases. */
static int nvidia_major(int root_fd, unsigned *ret)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    char *rest, *line;
    int r = rootfs_read_file(root_fd, "proc/devices", 1 << 16, &text, &size);

    if (r < 0)
        return r;
    for (rest = text; (line = strsep(&rest, "\n")) && !after_prefix(line, "Block devices:");) {
        char name[32];
        unsigned number;
        if (sscanf(line, "%u %31s", &number, name) == 2 &&
            (streq(name, "nvidia") || streq(name, "nvidia-frontend"))) {
            *ret = number;
            return 0;
        }
    }
    return -ENODATA;
}

static int add_nvidia(int root_fd, struct pci_addr a, struct nodes *nodes)
{
    CLEANUP_FREE char *text = NULL;
    char path[PCI_ADDR_MAX + 64];
    unsigned ma, mi;
    size_t size;
    int r;

    snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%s/information", pci_addr_text(a).s);
    r = rootfs_read_file(root_fd, path, 1 << 16, &text, &size);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    const char *at = strstr(text, "Device Minor:");
    if (!at || sscanf(at, "Device Minor: %u", &mi) != 1)
        return -ENODATA;
    r = nvidia_major(root_fd, &ma);
    return r < 0 ? r : add(nodes, a, makedev(ma, mi), false);
}

int nodes_of(int root_fd, struct pci_addr a, struct nodes *nodes)
{
    struct walk w = {.root_fd = root_fd, .addr = a, .nodes = nodes};
    char path[PCI_ADDR_MAX + 64];
    int r, q;

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/secondary_bus_number", pci_addr_text(a).s);
    w.bridge = faccessat(root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    *strrchr(path, '/') = '\0';
    r = walk_path(&w, path);
    q = add_nvidia(root_fd, a, nodes);
    return r < 0 ? r : q;
}
