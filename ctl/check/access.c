/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: who may open the nodes of bound devices. The QEMU of libvirt or KubeVirt gets them from a
 * process of root; DPDK, SPDK and a QEMU that a user starts open them as that user. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/rootfs.h"
#include "check/devices.h"
#include "check/files.h"
#include "check/parts.h"

#define KINDS_MAX 8
#define READ_WRITE 06U

/* Nodes with the same owner and mode. */
struct access {
    uid_t uid;
    gid_t gid;
    mode_t mode;
    size_t n;
    char first[48];
};

struct access_check {
    struct access kinds[KINDS_MAX];
    size_t n;
    bool groups, devices; /* others than root may open some nodes of that kind */
};

/* -- names -- */

/* Finds the name for a number in /etc/passwd or /etc/group below the root, where the number is the
 * third field. */
static void find_name(struct check *c, const char *file, unsigned number, char ret[static 40])
{
    CLEANUP_FREE char *text = check_read(c, file);
    char *rest = text, *line;

    snprintf(ret, 40, "%u", number);
    while (text && (line = check_line(&rest))) {
        const char *name = strsep(&line, ":");
        (void)strsep(&line, ":");
        const char *word = strsep(&line, ":");
        char *end;
        if (!word || !*word || strtoul(word, &end, 10) != number || *end)
            continue;
        snprintf(ret, 40, "%.39s", name);
        return;
    }
}

static void describe_access(struct check *c, const struct access *a, char ret[static 128])
{
    char name[40] = "", user[60] = "", group[60] = "";

    if (a->mode == 0666) {
        snprintf(ret, 128, "anybody");
        return;
    }
    if (a->uid != 0) {
        find_name(c, "etc/passwd", a->uid, name);
        snprintf(user, sizeof(user), ", the user %s", name);
    }
    if (a->gid != 0 && a->mode == 0660) {
        find_name(c, "etc/group", a->gid, name);
        snprintf(group, sizeof(group), ", the group %s", name);
    }
    snprintf(ret, 128, "root%s%s", user, group);
}

/* -- nodes -- */

/* A node must be both readable and writable to be of use. */
static bool can_use(mode_t mode)
{
    return (mode & READ_WRITE) == READ_WRITE;
}

static bool is_for_others(const struct stat *st)
{
    return st->st_uid != 0 || can_use(st->st_mode) ||
           (st->st_gid != 0 && can_use(st->st_mode >> 3));
}

/* Returns false if it does not exist or cannot be examined. */
static bool stat_node(struct check *c, const char *path, struct stat *ret)
{
    CLEANUP_CLOSE int fd = rootfs_open(c->tree.root_fd, path, O_PATH | O_NOFOLLOW);

    if (fd >= 0 && fstat(fd, ret) == 0)
        return true;
    check_unseen(c, path, fd < 0 ? fd : -errno);
    return false;
}

static void add_access_to(struct check *c, struct access_check *a, const char *path, bool *others)
{
    struct stat st;
    size_t i = 0;

    if (!stat_node(c, path, &st))
        return;
    const mode_t mode = can_use(st.st_mode) ? 0666 : can_use(st.st_mode >> 3) ? 0660 : 0600;
    const gid_t gid = mode == 0600 ? 0 : st.st_gid;
    while (i < a->n &&
           (a->kinds[i].uid != st.st_uid || a->kinds[i].gid != gid || a->kinds[i].mode != mode))
        i++;
    if (i == KINDS_MAX)
        return;
    if (i == a->n) {
        a->kinds[a->n++] = (struct access){.uid = st.st_uid, .gid = gid, .mode = mode};
        snprintf(a->kinds[i].first, sizeof(a->kinds[i].first), "/%s", path);
    }
    a->kinds[i].n++;
    *others = *others || is_for_others(&st);
}

static void add_nodes_of(struct check *c, struct access_check *a, const struct row *r)
{
    char path[48];

    if (r->d->cdev) {
        snprintf(path, sizeof(path), "dev/vfio/devices/%.20s", r->d->cdev);
        add_access_to(c, a, path, &a->devices);
    }
    for (const struct row *other = c->s->rows; r->d->node && other < r; other++)
        if (other->d->group == r->d->group && check_is_taken(other))
            return; /* counted as one more with the same access */
    if (!r->d->node)
        return;
    snprintf(path, sizeof(path), "dev/vfio/%s%u", r->d->noiommu ? "noiommu-" : "", r->d->group);
    add_access_to(c, a, path, &a->groups);
}

/* -- findings -- */

static void say_access(struct check *c, const struct access *a)
{
    char who[128], more[48] = "";
    bool anybody = a->mode == 0666;

    describe_access(c, a, who);
    if (a->n > 1)
        snprintf(more, sizeof(more), " and %zu other node%s", a->n - 1, a->n == 2 ? "" : "s");
    check_add(c, anybody ? FINDING_WARN : FINDING_OK, "access", "%s may open %s%s (%04o)%s", who,
              a->first, more, (unsigned)a->mode,
              anybody ? ": any program on this host can open the device" : "");
    if (!anybody)
        return;
    check_remedy(c, "grep -rn vfio /etc/udev/rules.d /usr/lib/udev/rules.d   # write GROUP=, "
                    "MODE=\"0660\" in place of 0666");
    check_remedy(c,
                 "%sudevadm control --reload && %sudevadm trigger --subsystem-match=vfio "
                 "--subsystem-match=vfio-dev",
                 ctl_sudo(), ctl_sudo());
}

/* Whoever may open a device also needs the node through which it is used. */
static void check_opened_with(struct check *c, const char *path, const char *of, const char *kernel,
                              const char *mode)
{
    struct stat st;

    if (!check_exists(c, path) || !stat_node(c, path, &st) || is_for_others(&st))
        return;
    check_add(c, FINDING_WARN, "access",
              "users other than root may open %s, but not /%s, which they need as well", of, path);
    check_remedy(c,
                 "echo 'KERNEL==\"%s\", SUBSYSTEM==\"misc\", %s' | %stee "
                 "/etc/udev/rules.d/61-vfio.rules",
                 kernel, mode, ctl_sudo());
    check_remedy(c, "%sudevadm control --reload && %sudevadm trigger --subsystem-match=misc",
                 ctl_sudo(), ctl_sudo());
}

void check_access(struct check *c)
{
    struct access_check a = {0};

    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (check_is_taken(r) && driver_is_vfio(r->driver))
            add_nodes_of(c, &a, r);
    }
    for (size_t i = 0; i < a.n; i++)
        say_access(c, &a.kinds[i]);
    if (a.groups)
        check_opened_with(c, "dev/vfio/vfio", "nodes of IOMMU groups", "vfio", "MODE=\"0666\"");
    if (a.devices)
        check_opened_with(c, "dev/iommu", "nodes of devices", "iommu",
                          "GROUP=\"vfio\", MODE=\"0660\"   # the group of the other nodes");
}
