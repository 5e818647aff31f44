/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rootfs.h"
#include "scan-device.h"
#include "util.h"

/* Long enough for any group's path. */
#define PATH_LENGTH 64

/* -- which devices matter -- */

static int detail_anew(struct scan_context *c, struct snapshot *s, size_t i)
{
    const struct device *old = &s->devices[i];
    struct device d = {.addr = old->addr,
                       .order = old->order,
                       .vendor = old->vendor,
                       .device = old->device,
                       .subvendor = old->subvendor,
                       .subdevice = old->subdevice,
                       .class_code = old->class_code};
    char driver[NAME_MAX + 1];

    int r = scan_details(c, &d, driver), q = snapshot_put(s, &d);
    return r < 0 ? r : q;
}

static int detail(struct scan_context *c, struct snapshot *s, size_t i)
{
    return s->devices[i].detailed ? 0 : detail_anew(c, s, i);
}

/* The functions of the same slot, which may have to come along. */
static int detail_slot(struct scan_context *c, struct snapshot *s, size_t i)
{
    struct pci_addr a = s->devices[i].addr;
    int r = 0;

    while (i > 0 && pci_addr_same_slot(s->devices[i - 1].addr, a))
        i--;
    for (; r == 0 && i < s->n && pci_addr_same_slot(s->devices[i].addr, a); i++)
        r = detail(c, s, i);
    return r;
}

/* The members of the IOMMU group, which decide whether it is viable. One that was read before it
 * had the group (which may come when a driver binds it) is read again. */
static int detail_group(struct scan_context *c, struct snapshot *s, uint32_t group)
{
    char path[PATH_LENGTH];
    const struct dirent *e;
    int r;

    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices", group);
    CLEANUP(closedirp) DIR *dir;
    r = rootfs_open_dir(c->root_fd, path, &dir);
    r = 0;
    while (dir && r == 0 && (e = readdir(dir))) {
        struct pci_addr a;
        if (pci_addr_parse(e->d_name, &a) < 0)
            continue;
        const struct device *member = snapshot_find(s, a);
        if (member && (!member->detailed || member->group != group))
            r = detail_anew(c, s, (size_t)(member - s->devices));
    }
    return r;
}

static int by_number(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* The groups of what is detailed, sorted, each once. */
static int relevant_groups(const struct snapshot *s, uint32_t **ret, size_t *ret_n)
{
    uint32_t *v = calloc(s->n + 1, sizeof(*v));
    size_t n = 0, kept = 0;

    if (!v)
        return -ENOMEM;
    for (size_t i = 0; i < s->n; i++)
        if (s->devices[i].detailed && s->devices[i].group != NO_GROUP)
            v[n++] = s->devices[i].group;
    qsort(v, n, sizeof(*v), by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || v[kept - 1] != v[i])
            v[kept++] = v[i];
    *ret = v;
    *ret_n = kept;
    return 0;
}

/* The other members of the groups. Either each group is asked for its members, or each device that
 * was left out until now for its group: whichever are fewer. */
static int detail_groups(struct scan_context *c, struct snapshot *s)
{
    CLEANUP_FREE uint32_t *groups = NULL;
    size_t n, others = 0;
    int r = relevant_groups(s, &groups, &n);

    for (size_t i = 0; i < s->n; i++)
        others += !s->devices[i].detailed;
    if (r == 0 && n <= others) {
        for (size_t i = 0; r == 0 && i < n; i++)
            r = detail_group(c, s, groups[i]);
        return r;
    }
    for (size_t i = 0; r == 0 && i < s->n; i++) {
        if (s->devices[i].detailed)
            continue;
        struct pci_addr a = s->devices[i].addr;
        uint32_t group = scan_group(scan_short_way(&c->folder, c->root_fd, a), a);
        if (bsearch(&group, groups, n, sizeof(group), by_number))
            r = detail(c, s, i);
    }
    return r;
}

static int detail_relevant(struct scan_context *c, struct snapshot *s)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->n; i++)
        if (!c->policy || policy_may_match(c->policy, &s->devices[i]))
            r = detail_slot(c, s, i);
    return c->policy && r == 0 ? detail_groups(c, s) : r;
}

/* -- the whole -- */

/* sysfs numbers its files one after another (and lists the number with the name), so the folders of
 * drivers tell the order in which the drivers were registered. */
int scan_drivers(int root_fd, struct snapshot *s)
{
    const struct dirent *e;
    int r = 0;
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, "sys/bus/pci/drivers", &dir);

    s->n_registered = 0;
    while (dir && r == 0 && (e = readdir(dir)))
        if (e->d_name[0] != '.')
            r = snapshot_add_registered(s, e->d_name, e->d_ino);
    return r;
}

/* systemd notes each unit that it started; the note stays while the unit is active. Until all of
 * fstab is mounted and the network is set up, use proves nothing. Without systemd nothing tells:
 * then every pass counts as boot, which refuses more. */
bool scan_cold_boot(int root_fd)
{
    return !scan_exists(root_fd, "run/systemd/units/invocation:multi-user.target") &&
           !scan_exists(root_fd, "run/systemd/units/invocation:graphical.target");
}

static bool is_unsafe_noiommu(int root_fd)
{
    char text[8];

    return rootfs_read_line(root_fd, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", text,
                            sizeof(text)) == 1 &&
           text[0] == 'Y';
}

static int identify_all(int root_fd, struct snapshot *s)
{
    const struct dirent *e;
    int r;
    CLEANUP(closedirp) DIR *dir;
    r = rootfs_open_dir(root_fd, SCAN_DEVICES, &dir);

    while (dir && r == 0 && (e = readdir(dir))) {
        struct device d = {.group = NO_GROUP, .order = e->d_ino};
        if (pci_addr_parse(e->d_name, &d.addr) == 0 && scan_identify(root_fd, &d))
            r = snapshot_append(s, &d);
    }
    snapshot_sort(s);
    return r;
}

int scan_all(int root_fd, const struct policy *p, struct snapshot *ret)
{
    CLEANUP(scan_context_done) struct scan_context c;
    int r = scan_context_init(&c, root_fd, p);

    ret->cold_boot = scan_cold_boot(root_fd);
    ret->unsafe_noiommu = is_unsafe_noiommu(root_fd);
    if (r == 0)
        r = identify_all(root_fd, ret);
    if (r == 0)
        r = detail_relevant(&c, ret);
    if (r == 0)
        r = scan_drivers(root_fd, ret);
    return r;
}

void scan_order(int root_fd, struct device *d)
{
    char path[96];
    struct stat st;

    snprintf(path, sizeof(path), SCAN_DEVICES "/%s", pci_addr_text(d->addr).s);
    if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        d->order = st.st_ino;
}

int scan_device(int root_fd, const struct policy *p, struct pci_addr a, struct snapshot *s)
{
    const struct device *before = snapshot_find(s, a);
    struct device d = {.addr = a, .group = NO_GROUP, .order = before ? before->order : 0};

    if (!scan_identify(root_fd, &d)) {
        snapshot_remove(s, a);
        return 0;
    }
    CLEANUP(scan_context_done) struct scan_context c;
    int r = scan_context_init(&c, root_fd, p);
    if (r == 0)
        r = snapshot_put(s, &d);
    if (r < 0)
        return r;

    const struct device *put = snapshot_find(s, a);
    size_t i = (size_t)(put - s->devices);
    if (!p || policy_may_match(p, &d)) {
        r = detail_slot(&c, s, i);
        put = snapshot_find(s, a);
        if (r == 0 && put->group != NO_GROUP)
            r = detail_group(&c, s, put->group);
        return r;
    }
    /* It may matter for the sake of another one: of the same slot, or of the same group. */
    return detail(&c, s, i);
}

/* -- after a bind or unbind -- */

/* The groups that have a node, sorted: one look at the folder in place of one at each node. */
static int read_nodes(int root_fd, uint32_t **ret, size_t *ret_n)
{
    CLEANUP_FREE uint32_t *v = NULL;
    size_t n = 0, allocated = 0;
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, "dev/vfio", &dir);

    while (dir && (e = readdir(dir))) {
        char *end;
        unsigned long group = strtoul(e->d_name, &end, 10);
        if (end == e->d_name || *end || group >= NO_GROUP)
            continue; /* "vfio", "devices" */
        if (!grow(&v, &allocated, n, sizeof(*v)))
            return -ENOMEM;
        v[n++] = (uint32_t)group;
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), by_number);
    *ret = v;
    v = NULL;
    *ret_n = n;
    return 0;
}

/* False: no VFIO driver has it. Then it may have been replaced meanwhile, and nothing that was read
 * before counts. */
static bool reread_driver(int root_fd, struct scan_place p, struct snapshot *s, struct device *d)
{
    char name[NAME_MAX + 1];
    const char *driver = NULL;

    if (scan_link_name(p, d->addr, "driver", name) && driver_is_vfio(name))
        driver = snapshot_name(s, name);
    if (!driver)
        return false;
    d->driver = driver;
    free(d->use);
    d->use = NULL;
    if (d->has_vfs) /* the native driver may have taken them away as it went */
        d->has_vfs = scan_has_vfs(root_fd, d->addr);
    return true;
}

int scan_bindings(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                  struct snapshot *s)
{
    CLEANUP(bus_folder_close) struct bus_folder folder = BUS_FOLDER_NONE;
    CLEANUP_FREE uint32_t *nodes = NULL;
    size_t n_nodes = 0;
    bool many = n > 4; /* what the look at the folder costs */
    int r = many ? read_nodes(root_fd, &nodes, &n_nodes) : 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct device *d = snapshot_find(s, addrs[i]);
        struct scan_place place =
            many ? scan_short_way(&folder, root_fd, addrs[i]) : scan_long_way(root_fd);
        if (!d || !d->detailed || d->claimant || d->group == NO_GROUP ||
            !reread_driver(root_fd, place, s, d))
            r = scan_device(root_fd, p, addrs[i], s);
        else if (many)
            d->node = n_nodes > 0 && bsearch(&d->group, nodes, n_nodes, sizeof(*nodes), by_number);
        else
            d->node = scan_node(root_fd, d);
    }
    return r;
}

const char *scan_iommu(int root_fd)
{
    static const struct {
        const char *prefix, *kind;
    } kinds[] = {
        {"dmar", "intel"}, {"ivhd", "amd"}, {"smmu", "arm-smmu"}, {"arm-smmu", "arm-smmu"}};
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, "sys/class/iommu", &dir);

    if (viommu_is_at_work(root_fd))
        return "virtio";
    while (dir && (e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
            if (after_prefix(e->d_name, kinds[i].prefix))
                return kinds[i].kind;
        return "other";
    }
    return "none";
}
