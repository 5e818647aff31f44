/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/use.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

struct used_block {
    dev_t number;
    char *words;
};

struct mounts_reader {
    int root_fd;
    struct host_use *use;
};

void host_use_done(struct host_use *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->v[i].words);
    for (size_t i = 0; i < h->n_members; i++)
        free(h->members[i]);
    free(h->v);
    free(h->members);
    *h = (struct host_use){0};
}

/* -- use by the host -- */

static const char *words_of(const struct host_use *h, dev_t number)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].number == number)
            return h->v[i].words;
    return NULL;
}

/* Only the first mount point counts: a host may have a thousand bind mounts of one block device. */
static int add_block(struct host_use *h, dev_t number, const char *what, const char *name)
{
    if (words_of(h, number))
        return 0;
    if (!grow(&h->v, &h->allocated, h->n, sizeof(*h->v)))
        return -ENOMEM;
    struct used_block *b = &h->v[h->n];
    *b = (struct used_block){.number = number};
    if (asprintf(&b->words, "%s %s", what, name) < 0)
        return -ENOMEM;
    h->n++;
    return 0;
}

/* Adds a block device by its name in /dev. For some file systems (btrfs) mountinfo does not show
 * its number. */
static int add_mounted_node(struct mounts_reader *r, const char *node, const char *what,
                            const char *name)
{
    struct stat st;

    /* Any other source may be on a dead NFS server, where stat() blocks forever. */
    if (!after_prefix(node, "/dev/") || strstr(node, ".."))
        return 0;
    if (fstatat(r->root_fd, node + 1, &st, 0) < 0)
        return fact_error(-errno);
    return S_ISBLK(st.st_mode) ? add_block(r->use, st.st_rdev, what, name) : 0;
}

static int take_mount(void *userdata, char *line)
{
    static const char what[] = "has the file system mounted on";
    unsigned major_number, minor_number;
    char where[256], source[256];
    const char *after = strstr(line, " - ");
    struct mounts_reader *r = userdata;
    int q;

    if (sscanf(line, "%*u %*u %u:%u %*s %255s", &major_number, &minor_number, where) != 3)
        return 0;
    q = add_block(r->use, makedev(major_number, minor_number), what, where);
    if (q == 0 && after && sscanf(after, " - %*s %255s", source) == 1)
        q = add_mounted_node(r, source, what, where);
    return q;
}

/* The file system of a swap file is mounted. A block device whose node is gone is in use all the
 * same, and it is not known which one it is. */
static int take_swap(void *userdata, char *line)
{
    const struct mounts_reader *r = userdata;
    char node[256], type[16];
    struct stat st;

    if (sscanf(line, "%255s %15s", node, type) != 2 || !streq(type, "partition"))
        return 0;
    int q = fstatat(r->root_fd, node + 1, &st, 0) < 0 ? -errno : 0;
    if (fact_is_gone(q) || (q == 0 && !S_ISBLK(st.st_mode)))
        return -ENOTBLK;
    return q < 0 ? q : add_block(r->use, st.st_rdev, "has the swap space", node);
}

/* Reads the mounts of PID 1: ProtectHome= and the like hide some from our own namespace. If that is
 * not permitted, or PID 1 is hidden, this is the client of an ordinary user, whose namespace is the
 * host's. From root it may be hidden as well (/proc mounted with hidepid=, and no CAP_SYS_PTRACE):
 * then the mounts are not known. A tree without /proc has neither file. */
static int read_mounts(struct mounts_reader *r)
{
    int q = rootfs_each_line(r->root_fd, "proc/1/mountinfo", take_mount, r);

    if ((fact_is_gone(q) || q == -EACCES || q == -EPERM) && geteuid() != 0)
        q = rootfs_each_line(r->root_fd, "proc/self/mountinfo", take_mount, r);
    else if (fact_is_gone(q) && rootfs_exists(r->root_fd, "proc/self") != 0)
        q = -EACCES;
    return fact_error(q);
}

/* A mounted btrfs lists all of its disks; mountinfo names only one of them. */
static int read_btrfs(struct mounts_reader *r)
{
    CLEANUP(closedirp) DIR *all;
    const struct dirent *e, *member;
    int q = rootfs_list(r->root_fd, "sys/fs/btrfs", &all);

    while (q == 0 && (q = rootfs_next(all, &e)) > 0) {
        char path[NAME_MAX + 32];
        snprintf(path, sizeof(path), "sys/fs/btrfs/%s/devices", e->d_name);
        CLEANUP(closedirp) DIR *dir = NULL;
        q = streq(e->d_name, "features") ? 0 : rootfs_list(r->root_fd, path, &dir);
        while (q == 0 && (q = rootfs_next(dir, &member)) > 0) {
            struct host_use *h = r->use;
            if (!grow(&h->members, &h->members_allocated, h->n_members, sizeof(*h->members)))
                return -ENOMEM;
            h->members[h->n_members] = strdup(member->d_name);
            q = h->members[h->n_members++] ? 0 : -ENOMEM;
        }
    }
    return q;
}

/* A disk behind a loop device. The kernel does not list the loop device among the disk's holders,
 * and does not claim the disk for it. */
static int read_loops(struct mounts_reader *r)
{
    CLEANUP(closedirp) DIR *dir;
    const struct dirent *e;
    int q = rootfs_list(r->root_fd, "sys/class/block", &dir);

    while (q == 0 && (q = rootfs_next(dir, &e)) > 0) {
        char path[NAME_MAX + 64], node[PATH_MAX];
        q = 0;
        if (!after_prefix(e->d_name, "loop"))
            continue;
        snprintf(path, sizeof(path), "sys/class/block/%s/loop/backing_file", e->d_name);
        q = rootfs_read_line(r->root_fd, path, node, sizeof(node));
        q = q > 0 ? add_mounted_node(r, node, "is behind the block device", e->d_name)
                  : fact_error(q);
    }
    return q;
}

/* A namespace of the kernel's NVMe target that is enabled; of the SCSI target's disks the kernel
 * says that they are claimed. */
static int read_namespace(struct mounts_reader *r, const char *path, const char *subsystem)
{
    char file[PATH_MAX + 16], text[PATH_MAX];

    snprintf(file, sizeof(file), "%s/enable", path);
    int q = rootfs_read_line(r->root_fd, file, text, sizeof(text));
    if (q <= 0 || streq(text, "0"))
        return fact_error(q < 0 ? q : 0);
    snprintf(file, sizeof(file), "%s/device_path", path);
    q = rootfs_read_line(r->root_fd, file, text, sizeof(text));
    return q > 0 ? add_mounted_node(r, text, "is exported as", subsystem) : fact_error(q);
}

static int read_exports(struct mounts_reader *r)
{
    static const char folder[] = "sys/kernel/config/nvmet/subsystems";
    CLEANUP(closedirp) DIR *all;
    const struct dirent *e, *n;
    int q = rootfs_list(r->root_fd, folder, &all);

    while (q == 0 && (q = rootfs_next(all, &e)) > 0) {
        char path[NAME_MAX + 64], space[2 * NAME_MAX + 80];
        snprintf(path, sizeof(path), "%s/%s/namespaces", folder, e->d_name);
        CLEANUP(closedirp) DIR *dir = NULL;
        q = rootfs_list(r->root_fd, path, &dir);
        while (q == 0 && (q = rootfs_next(dir, &n)) > 0) {
            snprintf(space, sizeof(space), "%s/%s", path, n->d_name);
            q = read_namespace(r, space, e->d_name);
        }
    }
    return q;
}

int host_use_read(int root_fd, struct host_use *ret)
{
    struct mounts_reader reader = {root_fd, ret};
    int r = read_mounts(&reader);

    if (r == 0)
        r = fact_error(rootfs_each_line(root_fd, "proc/swaps", take_swap, &reader));
    if (r == 0)
        r = read_btrfs(&reader);
    if (r == 0)
        r = read_loops(&reader);
    if (r == 0)
        r = read_exports(&reader);
    if (r == 0)
        r = rootfs_read_line(root_fd, "sys/class/tty/console/active", ret->consoles,
                             sizeof(ret->consoles));
    if (r < 0)
        ret->consoles[0] = '\0';
    return fact_error(r);
}

/* -- one device -- */

static bool is_console(const struct host_use *h, const char *name)
{
    const size_t n = strlen(name);

    for (const char *p = h->consoles; (p = strstr(p, name)); p += n)
        if ((p == h->consoles || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

static bool is_member(const struct host_use *h, const char *name)
{
    for (size_t i = 0; i < h->n_members; i++)
        if (streq(h->members[i], name))
            return true;
    return false;
}

/* How the host uses one item below the device, as the words before and after its name; false: it
 * does not use it. The first pass finds the most meaningful item: a mounted volume rather than the
 * disk below it. */
static bool is_used(const struct host_use *h, const struct below_item *i, unsigned pass,
                    const char **before, const char **after)
{
    const bool block = i->kind == BELOW_BLOCK || i->kind == BELOW_STACKED;

    *after = "";
    if (pass == 0) {
        *before = block ? words_of(h, i->number) : NULL;
        return *before;
    }
    switch (i->kind) {
    case BELOW_STACKED:
        *before = "is part of the block device ";
        return true;
    case BELOW_BLOCK:
        *before = "has part of a mounted file system on ";
        return is_member(h, i->name);
    case BELOW_INTERFACE:
        *before = "has the network interface ";
        *after = i->up ? ", which is up" : ", which is part of a bridge or bond";
        return i->up || i->enslaved;
    case BELOW_HIDDEN:
        *before = "has a network interface in another network namespace";
        return true;
    case BELOW_KEYBOARD: /* the host needs it if a virtual terminal is its console */
        *before = "has a keyboard of the console, ";
        return is_console(h, "tty0");
    case BELOW_TTY:
        *before = "has the console ";
        return is_console(h, i->name);
    default:
        return false;
    }
}

int use_of(const struct host_use *h, const struct below *b, char **ret)
{
    const char *before, *after;

    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < b->n; i++)
            if (is_used(h, &b->v[i], pass, &before, &after))
                return asprintf(ret, "%s%s%s", before, pass == 0 ? "" : b->v[i].name, after) < 0
                           ? -ENOMEM
                           : 0;
    *ret = NULL;
    return 0;
}
