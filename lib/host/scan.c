/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/search.h"
#include "base/util.h"
#include "host/bar-addresses.h"
#include "host/pci-files.h"
#include "host/scan-device.h"
#include "host/scan-host.h"
#include "host/vfs.h"

/* Long enough for any group's path. */
#define PATH_LENGTH 64

/* -- which devices matter -- */

static int detail(struct scan_context *c, struct snapshot *s, size_t i)
{
    struct device d = s->devices[i];
    char driver[NAME_MAX + 1];

    if (d.detailed)
        return 0;
    scan_details(c, &d, driver);
    return snapshot_put(s, &d);
}

/* Reads a device again; what cannot be read keeps its previous value. */
static int detail_anew(struct scan_context *c, struct snapshot *s, size_t i)
{
    CLEANUP(snapshot_done) struct snapshot old = {0};
    const struct snapshot *before = c->before;
    const struct device *known = &s->devices[i];
    struct device d = {.addr = known->addr,
                       .order = known->order,
                       .vendor = known->vendor,
                       .device = known->device,
                       .subvendor = known->subvendor,
                       .subdevice = known->subdevice,
                       .class_code = known->class_code,
                       .unidentified = known->unidentified};
    char driver[NAME_MAX + 1];

    if (known->unknown.fact == FACT_IDENTITY || known->unknown.fact == FACT_LISTING)
        d.unknown = known->unknown; /* not read here */
    int r = snapshot_keep(&old, known);
    if (r < 0)
        return r;
    c->before = &old;
    scan_details(c, &d, driver);
    c->before = before;
    return snapshot_put(s, &d);
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

/* Reads the members of the IOMMU group, which decide whether it is viable. A member that was read
 * before it had the group is read again: some groups are created only when a driver binds the
 * device. */
static int detail_group(struct scan_context *c, struct snapshot *s, uint32_t group)
{
    char path[PATH_LENGTH];
    const struct dirent *e;
    int r, q = 0;

    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices", group);
    CLEANUP(closedirp) DIR *dir;
    r = rootfs_list(c->root_fd, path, &dir);
    while (r == 0 && q == 0 && (r = rootfs_next(dir, &e)) > 0) {
        struct pci_addr a;
        r = 0;
        if (pci_addr_parse(e->d_name, &a) < 0)
            continue;
        const struct device *member = snapshot_find(s, a);
        if (member && member->detailed && member->group != group)
            q = detail_anew(c, s, (size_t)(member - s->devices));
        else if (member)
            q = detail(c, s, (size_t)(member - s->devices));
    }
    for (size_t i = 0; r < 0 && i < s->n; i++)
        if (s->devices[i].detailed && s->devices[i].group == group)
            unknown_note(&s->devices[i].unknown, FACT_MEMBERS, r);
    return q;
}

/* The groups of all detailed devices, sorted, without duplicates. */
static int relevant_groups(const struct snapshot *s, uint32_t **ret, size_t *ret_n)
{
    uint32_t *v = calloc(s->n + 1, sizeof(*v));
    size_t n = 0, kept = 0;

    if (!v)
        return -ENOMEM;
    for (size_t i = 0; i < s->n; i++)
        if (s->devices[i].detailed && s->devices[i].group != NO_GROUP)
            v[n++] = s->devices[i].group;
    qsort(v, n, sizeof(*v), compare_uint32);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || v[kept - 1] != v[i])
            v[kept++] = v[i];
    *ret = v;
    *ret_n = kept;
    return 0;
}

/* Reads the other members of the groups. Looks up either the members of each group, or the group of
 * each device that has not been read in detail, whichever takes fewer reads. */
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
        uint32_t group = NO_GROUP;
        int known = pci_group(c->root_fd, a, &group);
        if (known < 0 || bsearch(&group, groups, n, sizeof(group), compare_uint32))
            r = detail(c, s, i);
    }
    return r;
}

/* Reads the virtual functions of a device whose number of them matters: their use, and which of
 * them stay with the host. One that was read before the kernel had linked it to its physical
 * function is read again. */
static int detail_vfs(struct scan_context *c, struct snapshot *s, size_t i)
{
    CLEANUP_FREE struct pci_addr *vfs = NULL;
    size_t n = 0;
    int r = s->devices[i].n_vfs > 0 ? vfs_list(c->root_fd, s->devices[i].addr, &vfs, &n) : 0;

    if (unknown_note(&s->devices[i].unknown, FACT_KIND, r))
        return 0;
    for (size_t k = 0; r == 0 && k < n; k++) {
        const struct device *vf = snapshot_find(s, vfs[k]);
        if (vf && vf->detailed && !vf->vf)
            r = detail_anew(c, s, (size_t)(vf - s->devices));
        else if (vf)
            r = detail(c, s, (size_t)(vf - s->devices));
    }
    return r;
}

static int detail_relevant(struct scan_context *c, struct snapshot *s)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->n; i++)
        if (!s->devices[i].unidentified &&
            (!c->policy || policy_may_match(c->policy, &s->devices[i])))
            r = detail_slot(c, s, i);
    for (size_t i = 0; c->policy && r == 0 && i < s->n; i++)
        r = detail_vfs(c, s, i);
    return c->policy && r == 0 ? detail_groups(c, s) : r;
}

/* -- the list of devices -- */

static const struct device *find_before(const struct snapshot *before, const struct device *d)
{
    const struct device *old = before ? snapshot_find(before, d->addr) : NULL;

    return old && (old->order == d->order || old->order == 0) ? old : NULL;
}

/* The device exists, but its modalias cannot be read: keeps its previous IDs. */
static void identify_as_before(struct device *d, const struct device *old, int r)
{
    d->unidentified = !old || old->unidentified;
    if (old) {
        d->vendor = old->vendor;
        d->device = old->device;
        d->subvendor = old->subvendor;
        d->subdevice = old->subdevice;
        d->class_code = old->class_code;
    }
    unknown_note(&d->unknown, FACT_IDENTITY, r);
}

/* Listing the devices failed halfway: those that are missing keep their previous state. */
static int keep_unlisted(const struct snapshot *before, int error, struct snapshot *s)
{
    int r = 0;

    unknown_note(&s->unknown, FACT_LISTING, error);
    for (size_t i = 0; before && r == 0 && i < before->n; i++) {
        if (snapshot_find(s, before->devices[i].addr))
            continue;
        r = snapshot_keep(s, &before->devices[i]);
        if (r == 0)
            unknown_note(&snapshot_find(s, before->devices[i].addr)->unknown, FACT_LISTING, error);
    }
    return r;
}

static int identify_all(int root_fd, const struct snapshot *before, struct snapshot *s)
{
    const struct dirent *e;
    int q = 0;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_open_dir(root_fd, PCI_DEVICES, &dir);

    if (fact_is_gone(r))
        return -ENOENT;
    while (r == 0 && q == 0 && (r = rootfs_next(dir, &e)) > 0) {
        struct device d = {.group = NO_GROUP, .order = e->d_ino};
        r = 0;
        if (pci_addr_parse(e->d_name, &d.addr) < 0)
            continue;
        int identified = pci_identify(root_fd, &d);
        if (identified < 0)
            identify_as_before(&d, find_before(before, &d), identified);
        if (identified != 0)
            q = snapshot_append(s, &d);
    }
    snapshot_sort(s);
    return q == 0 && r < 0 ? keep_unlisted(before, r, s) : q;
}

static int copy_registered(const struct snapshot *from, struct snapshot *to)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->n_registered; i++)
        r = snapshot_add_registered(to, from->registered[i].name, from->registered[i].order);
    return r;
}

/* Keeps what is common to all devices, if it was read. */
static void keep_vfio(const struct vfio_nodes *nodes, struct snapshot *s)
{
    if (!nodes->read || nodes->error != 0)
        return;
    s->iommufd = nodes->iommufd;
    s->device_nodes = nodes->devices;
}

int scan_again(int root_fd, const struct policy *p, const struct snapshot *before,
               struct snapshot *ret)
{
    int r = 0;

    ret->cold_boot = !before || before->cold_boot;
    ret->unsafe_noiommu = before && before->unsafe_noiommu;
    scan_boot(root_fd, ret);
    ret->unremapped = before && before->unremapped;
    ret->iommufd = before && before->iommufd;
    ret->device_nodes = before && before->device_nodes;
    scan_permissions(root_fd, ret);
    CLEANUP(scan_context_done) struct scan_context c;
    scan_context_init(&c, root_fd, p, before, ret->unsafe_noiommu);
    r = identify_all(root_fd, before, ret);
    if (r == 0)
        r = detail_relevant(&c, ret);
    keep_vfio(&c.nodes, ret);
    if (r == 0 && before)
        r = copy_registered(before, ret);
    return r == 0 ? scan_drivers(root_fd, ret) : r;
}

int scan_all(int root_fd, const struct policy *p, struct snapshot *ret)
{
    return scan_again(root_fd, p, NULL, ret);
}

void scan_order(int root_fd, struct device *d)
{
    char path[96];
    struct stat st;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s", pci_addr_text(d->addr).s);
    if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        d->order = st.st_ino;
}

static int detail_around(struct scan_context *c, struct snapshot *s, const struct device *d)
{
    const struct device *put = snapshot_find(s, d->addr);
    size_t i = (size_t)(put - s->devices);

    if (d->unidentified)
        return 0;
    /* even if no rule can match it: another device of its slot or group may need it */
    const bool may_match = !c->policy || policy_may_match(c->policy, d);
    int r = may_match ? detail_slot(c, s, i) : detail(c, s, i);
    if (r == 0)
        r = detail_vfs(c, s, i);
    if (!may_match)
        return r;
    put = snapshot_find(s, d->addr);
    return r == 0 && put->group != NO_GROUP ? detail_group(c, s, put->group) : r;
}

static int read_anew(struct scan_context *c, struct pci_addr a, struct snapshot *s)
{
    CLEANUP(snapshot_done) struct snapshot before = {0};
    const struct device *old = snapshot_find(s, a);
    struct device d = {.addr = a, .group = NO_GROUP, .order = old ? old->order : 0};
    int identified = pci_identify(c->root_fd, &d), r = 0;

    if (identified == 0) {
        snapshot_remove(s, a);
        return 0;
    }
    if (identified < 0)
        identify_as_before(&d, old, identified);
    if (old)
        r = snapshot_keep(&before, old);
    if (r == 0)
        r = snapshot_put(s, &d);
    if (r < 0)
        return r;
    c->before = &before;
    r = detail_around(c, s, &d);
    c->before = NULL;
    return r;
}

int scan_devices(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                 struct snapshot *s)
{
    CLEANUP(scan_context_done) struct scan_context c = {0};
    int r = 0;

    if (n == 0)
        return 0;
    scan_context_init(&c, root_fd, p, NULL, s->unsafe_noiommu);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = read_anew(&c, addrs[i], s);
    keep_vfio(&c.nodes, s);
    return r;
}

int scan_device(int root_fd, const struct policy *p, struct pci_addr a, struct snapshot *s)
{
    return scan_devices(root_fd, p, &a, 1, s);
}

/* -- after a bind or unbind -- */

/* Reads only what a bind changes. Returns false if the device is not on a VFIO driver, or that is
 * unknown: then it must be read completely. */
static bool reread_driver(int root_fd, struct snapshot *s, struct device *d)
{
    char name[NAME_MAX + 1];
    const char *driver = NULL;
    int has_vfs = d->has_vfs;

    if (pci_link_name(root_fd, d->addr, "driver", name) > 0 && driver_is_vfio(name))
        driver = snapshot_name(s, name);
    if (driver && d->has_vfs) /* the native driver may have removed them when it was unbound */
        has_vfs = pci_has_vfs(root_fd, d->addr);
    if (!driver || has_vfs < 0)
        return false;
    d->driver = driver;
    d->has_vfs = has_vfs;
    free(d->use);
    d->use = NULL;
    return true;
}

int scan_bindings(int root_fd, const struct policy *p, const struct pci_addr *addrs, size_t n,
                  struct snapshot *s)
{
    CLEANUP(vfio_nodes_done) struct vfio_nodes nodes = {0};
    CLEANUP_FREE struct pci_addr *whole = calloc(n + 1, sizeof(*whole));
    size_t n_whole = 0;

    if (!whole)
        return -ENOMEM;
    vfio_nodes_read(root_fd, s->unsafe_noiommu, &nodes);
    if (n > 4) /* for fewer, listing the folder costs more */
        vfio_nodes_read_groups(root_fd, &nodes);
    keep_vfio(&nodes, s);
    for (size_t i = 0; i < n; i++) {
        struct device *d = snapshot_find(s, addrs[i]);
        if (!d || !d->detailed || d->claimant || d->unknown.fact != FACT_NONE ||
            d->group == NO_GROUP || !reread_driver(root_fd, s, d))
            whole[n_whole++] = addrs[i];
        else
            vfio_nodes_all(root_fd, &nodes, d);
    }
    return scan_devices(root_fd, p, whole, n_whole, s);
}

/* -- what is only needed to tell whether a device is usable -- */

static bool read_bars(int root_fd, struct device *d)
{
    const struct unknown before = d->unknown;
    uint16_t unassigned;
    int r = bar_addresses_missing(root_fd, d->addr, &unassigned);

    d->bars_read = true;
    if (d->unknown.fact == FACT_BAR_ADDRESSES)
        d->unknown = (struct unknown){0};
    if (unknown_note(&d->unknown, FACT_BAR_ADDRESSES, r))
        unassigned = d->unassigned;
    bool changed = unassigned != d->unassigned || d->unknown.fact != before.fact ||
                   d->unknown.error != before.error;
    d->unassigned = unassigned;
    return changed;
}

bool scan_bars(int root_fd, bool again, struct snapshot *s)
{
    bool changed = false;

    for (size_t i = 0; i < s->n; i++) {
        struct device *d = &s->devices[i];
        if (driver_is_vfio(d->driver) && (again || !d->bars_read))
            changed = read_bars(root_fd, d) || changed;
    }
    return changed;
}
