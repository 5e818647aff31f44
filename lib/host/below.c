/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/below.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/sysmacros.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

#define DEPTH_MAX 32 /* folders; a disk behind USB hubs or SAS expanders has about 20 */
#define FOLDERS_MAX 200000
#define ITEMS_MAX 20000
#define STACK_MAX 8 /* layers of device mapper and md */
#define EV_KEY (1UL << 1)
#define EV_REP (1UL << 20) /* keys repeat: on keyboards, not on mice and buttons */

struct walk {
    int root_fd;
    bool bridge;
    unsigned folders, layers;
    struct below *below;
};

/* A folder on the path of the walk. */
struct walk_folder {
    DIR *dir;
    const char *name;
    unsigned depth;
};

void below_done(struct below *b)
{
    free(b->v);
    *b = (struct below){0};
}

const struct below_item *below_block(const struct below *b, const char *name)
{
    for (size_t i = 0; i < b->n; i++)
        if ((b->v[i].kind == BELOW_BLOCK || b->v[i].kind == BELOW_STACKED) &&
            streq(b->v[i].name, name))
            return &b->v[i];
    return NULL;
}

/* Adds an item unless it has been added: a volume may be on several partitions. */
static int add_item(struct walk *w, enum below_kind kind, const char *name, dev_t number,
                    struct below_item **ret)
{
    struct below *b = w->below;

    for (size_t i = 0; i < b->n; i++)
        if (b->v[i].kind == kind && b->v[i].number == number && streq(b->v[i].name, name)) {
            *ret = &b->v[i];
            return 0;
        }
    if (b->n == ITEMS_MAX)
        return -E2BIG;
    if (!grow(&b->v, &b->allocated, b->n, sizeof(*b->v)))
        return -ENOMEM;
    struct below_item *item = *ret = &b->v[b->n++];
    *item = (struct below_item){.kind = kind, .number = number};
    snprintf(item->name, sizeof(item->name), "%s", name);
    return 0;
}

/* -- what a folder is -- */

int below_read_number(int fd, const char *path, dev_t *ret)
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

static int add_device(struct walk *w, const struct walk_folder *p)
{
    char subsystem[NAME_MAX + 1] = "";
    struct below_item *item;
    dev_t number = 0;
    int r = below_read_number(dirfd(p->dir), "dev", &number);

    if (r == -EISDIR || r == -E2BIG || r == -EINVAL) /* a different file with the same name */
        return 0;
    if (r < 0)
        return fact_error(r);
    r = rootfs_link_name(dirfd(p->dir), "subsystem", subsystem);
    if (r < 0)
        return r;
    return add_item(w,
                    streq(subsystem, "block") ? (w->layers > 0 ? BELOW_STACKED : BELOW_BLOCK)
                    : streq(subsystem, "tty") ? BELOW_TTY
                                              : BELOW_NODE,
                    p->name, number, &item);
}

/* Adds the interface of this folder below "net". Takes no lock. */
static int add_interface(struct walk *w, const struct walk_folder *p)
{
    struct below_item *item;
    char text[32];
    int r = rootfs_read_line(dirfd(p->dir), "flags", text, sizeof(text));

    if (r < 0)
        return fact_error(r);
    unsigned long flags = strtoul(text, NULL, 16);
    int enslaved = rootfs_exists(dirfd(p->dir), "master");
    r = enslaved < 0 ? enslaved : add_item(w, BELOW_INTERFACE, p->name, 0, &item);
    if (r < 0)
        return r;
    item->up = flags & IFF_UP;
    item->enslaved = enslaved;
    r = rootfs_read_line(dirfd(p->dir), "address", item->mac, sizeof(item->mac));
    if (r < 0)
        item->mac[0] = '\0';
    return fact_error(r);
}

static int add_keyboard(struct walk *w, const struct walk_folder *p)
{
    const unsigned long wanted = EV_KEY | EV_REP;
    struct below_item *item;
    char text[64];
    int r = rootfs_read_line(dirfd(p->dir), "capabilities/ev", text, sizeof(text));

    if (r < 0)
        return fact_error(r);
    return (strtoul(text, NULL, 16) & wanted) == wanted
               ? add_item(w, BELOW_KEYBOARD, p->name, 0, &item)
               : 0;
}

static int add_group(struct walk *w, const struct walk_folder *p)
{
    char group[NAME_MAX + 1];
    struct below_item *item;
    int r = rootfs_link_name(dirfd(p->dir), "iommu_group", group);

    return r > 0 ? add_item(w, BELOW_GROUP, group, 0, &item) : r;
}

/* -- the walk -- */

static int walk(struct walk *w, const struct walk_folder *p);

static int walk_path(struct walk *w, const char *path, const char *name)
{
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(w->root_fd, path, &dir);

    return dir ? walk(w, &(struct walk_folder){dir, name, 0}) : r;
}

static int walk_child(struct walk *w, const struct walk_folder *p, const char *name)
{
    CLEANUP_CLOSE int fd =
        openat(dirfd(p->dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) /* without a type from readdir() it may not be a folder */
        return errno == ENOTDIR || errno == ELOOP ? 0 : fact_error(-errno);
    CLEANUP(closedirp) DIR *dir = fdopendir(fd);
    if (!dir)
        return -errno;
    (void)take_fd(&fd);
    return walk(w, &(struct walk_folder){dir, name, p->depth + 1});
}

/* Block devices on top of a disk (device mapper, md, bcache) are listed in the disk's folder
 * `holders`. */
static int add_stacked(struct walk *w, const struct walk_folder *p)
{
    CLEANUP_CLOSE int fd = openat(dirfd(p->dir), "holders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct dirent *e;
    int r = fd < 0 ? fact_error(-errno) : 0;

    if (fd < 0)
        return r;
    CLEANUP(closedirp) DIR *dir = fdopendir(fd);
    if (!dir)
        return -errno;
    (void)take_fd(&fd);
    if (++w->layers > STACK_MAX)
        r = -E2BIG;
    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        char path[NAME_MAX + 32];
        snprintf(path, sizeof(path), "sys/class/block/%s", e->d_name);
        r = walk_path(w, path, e->d_name);
    }
    w->layers--;
    return r;
}

/* With multipath, the disks of an NVMe controller are below its subsystem, which has a link to the
 * controller. */
static int add_subsystem(struct walk *w, const char *controller)
{
    CLEANUP(closedirp) DIR *dir;
    const struct dirent *e;
    int r = rootfs_list(w->root_fd, "sys/class/nvme-subsystem", &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        char path[2 * NAME_MAX + 32], link[3 * NAME_MAX + 32];
        snprintf(path, sizeof(path), "sys/class/nvme-subsystem/%s", e->d_name);
        snprintf(link, sizeof(link), "%s/%s", path, controller);
        r = rootfs_exists(w->root_fd, link);
        if (r > 0)
            r = walk_path(w, path, e->d_name);
    }
    return r;
}

static bool is_nvme_controller(const char *name)
{
    const char *number = after_prefix(name, "nvme");

    return number && *number && strspn(number, "0123456789") == strlen(number);
}

/* Folders that never contain another device. Some have one folder per processor. */
static bool is_no_device(const char *name)
{
    static const char *const names[] = {"mq", "power", "queue", "queues", "statistics"};

    return word_index(names, ELEMENTS(names), name) >= 0;
}

static int walk_entry(struct walk *w, const struct walk_folder *p, const struct dirent *e)
{
    struct pci_addr a;
    int r = 0;

    if (streq(e->d_name, "dev"))
        return add_device(w, p);
    if (streq(e->d_name, "holders"))
        return add_stacked(w, p);
    if (streq(e->d_name, "iommu_group"))
        return add_group(w, p);
    if (streq(e->d_name, "ifindex"))
        return add_interface(w, p);
    if (streq(e->d_name, "capabilities"))
        return add_keyboard(w, p);
    if ((e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) || is_no_device(e->d_name) ||
        (w->bridge && pci_addr_parse(e->d_name, &a) == 0))
        return 0;
    if (p->depth == DEPTH_MAX)
        return -E2BIG;
    if (is_nvme_controller(e->d_name))
        r = add_subsystem(w, e->d_name);
    return r < 0 ? r : walk_child(w, p, e->d_name);
}

/* The kernel shows only the interfaces of one network namespace, but keeps the folder "net" as long
 * as the device has an interface in any namespace. So an empty "net" means that the interface is in
 * another namespace. */
static int walk(struct walk *w, const struct walk_folder *p)
{
    const struct dirent *e;
    struct below_item *item;
    bool empty = true;
    int r = ++w->folders > FOLDERS_MAX ? -E2BIG : 0;

    while (r == 0 && (r = rootfs_next(p->dir, &e)) > 0) {
        empty = false;
        r = walk_entry(w, p, e);
    }
    return r == 0 && empty && streq(p->name, "net") ? add_item(w, BELOW_HIDDEN, "", 0, &item) : r;
}

int below_walk(int root_fd, struct pci_addr a, struct below *ret)
{
    struct walk w = {.root_fd = root_fd, .below = ret};
    const struct pci_addr_text address = pci_addr_text(a);
    char path[PCI_ADDR_MAX + 64];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/secondary_bus_number", address.s);
    int r = rootfs_exists(root_fd, path);
    if (r < 0)
        return r;
    w.bridge = r > 0;
    *strrchr(path, '/') = '\0';
    return walk_path(&w, path, address.s);
}
