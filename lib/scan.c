/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scan.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "bars.h"
#include "boot-use.h"
#include "bus-folder.h"
#include "modules.h"
#include "rootfs.h"
#include "serials.h"
#include "slots.h"
#include "use.h"
#include "util.h"

#define DEVICES "sys/bus/pci/devices"

/* Long enough for any attribute's path. */
#define ATTR_MAX 320

/* What is looked up once for many devices. */
struct context {
    int root_fd;
    struct bus_folder folder;
    const struct policy *policy; /* NULL: everything is read of all */
    struct slots slots;
    struct serials serials;
    /* read for the first device that they may matter to */
    struct variant_aliases variants;
    struct bars bars;
    struct boot_use boot;
    bool variants_known, bars_known, boot_known;
    bool wants_serials, wants_variants;
};

static int context_init(struct context *c, int root_fd, const struct policy *p)
{
    *c = (struct context){.root_fd = root_fd,
                          .folder = BUS_FOLDER_NONE,
                          .policy = p,
                          .wants_serials = !p || policy_uses(p, KEY_SERIAL),
                          .wants_variants = !p || policy_uses_auto(p)};
    int r = !p || policy_uses(p, KEY_SLOT) ? slots_read(root_fd, &c->slots) : 0;
    return r == 0 && c->wants_serials ? serials_load(root_fd, &c->serials) : r;
}

static void context_done(struct context *c)
{
    slots_done(&c->slots);
    serials_done(&c->serials);
    variant_aliases_done(&c->variants);
    bars_done(&c->bars);
    boot_use_done(&c->boot);
    bus_folder_close(&c->folder);
}

/* -- one device -- */

/* Where functions have their folders: below DEVICES, or in that of their bus. */
struct place {
    int fd;
    const char *folder;
};

static struct place long_way(int root_fd)
{
    return (struct place){root_fd, DEVICES "/"};
}

static struct place short_way(struct bus_folder *f, int root_fd, struct pci_addr a)
{
    int fd = bus_folder_open(f, root_fd, a);

    return fd < 0 ? long_way(root_fd) : (struct place){fd, ""};
}

static const char *path_of(char buf[static ATTR_MAX], const char *folder, struct pci_addr a,
                           const char *name)
{
    struct pci_addr_text address = pci_addr_text(a);
    char *at = stpcpy(stpcpy(buf, folder), address.s);

    *at++ = '/';
    if (!memccpy(at, name, '\0', (size_t)(buf + ATTR_MAX - at)))
        buf[ATTR_MAX - 1] = '\0';
    return buf;
}

static const char *attribute(char buf[static ATTR_MAX], struct pci_addr a, const char *name)
{
    return path_of(buf, DEVICES "/", a, name);
}

/* The last part of a symbolic link's target; false if there is none. */
static bool link_name(struct place p, struct pci_addr a, const char *name,
                      char buf[static NAME_MAX + 1])
{
    char path[ATTR_MAX], target[PATH_MAX];
    ssize_t n = readlinkat(p.fd, path_of(path, p.folder, a, name), target, sizeof(target) - 1);

    if (n <= 0)
        return false;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    const char *last = slash ? slash + 1 : target;
    if (!*last || strlen(last) > NAME_MAX)
        return false;
    memcpy(buf, last, strlen(last) + 1);
    return true;
}

static bool exists(int root_fd, const char *path)
{
    /* AT_EACCESS, since for the real IDs 6.1 makes itself other credentials each time. */
    return faccessat(root_fd, path, F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0;
}

/* A name and a hex number behind it: what follows, or NULL. */
static const char *hex_field(const char *s, const char *name, int max_digits, unsigned *ret)
{
    int n = 0;

    if (!s || !(s = after_prefix(s, name)))
        return NULL;
    for (*ret = 0; n < max_digits && isxdigit((unsigned char)*s); n++, s++)
        *ret =
            *ret << 4 | (unsigned)(isdigit((unsigned char)*s) ? *s - '0' : (*s | 0x20) - 'a' + 10);
    return n > 0 ? s : NULL;
}

/* Everything that the modalias tells. Returns false if the device is gone. */
static bool identify(int root_fd, struct device *d)
{
    char path[ATTR_MAX], text[128];
    unsigned v, dev, sv, sd, base, sub, interface;

    if (rootfs_read_line(root_fd, attribute(path, d->addr, "modalias"), text, sizeof(text)) < 0)
        return false;
    const char *s = hex_field(text, "pci:v", 8, &v);
    s = hex_field(s, "d", 8, &dev);
    s = hex_field(s, "sv", 8, &sv);
    s = hex_field(s, "sd", 8, &sd);
    s = hex_field(s, "bc", 2, &base);
    s = hex_field(s, "sc", 2, &sub);
    if (!hex_field(s, "i", 2, &interface))
        return false;
    d->vendor = (uint16_t)v;
    d->device = (uint16_t)dev;
    d->subvendor = (uint16_t)sv;
    d->subdevice = (uint16_t)sd;
    d->class_code = base << 16 | sub << 8 | interface;
    return true;
}

static bool has_attribute(struct place p, struct pci_addr a, const char *name)
{
    char path[ATTR_MAX];

    return exists(p.fd, path_of(path, p.folder, a, name));
}

static uint32_t read_group(struct place p, struct pci_addr a)
{
    char name[NAME_MAX + 1], *end;

    if (!link_name(p, a, "iommu_group", name) || !isdigit((unsigned char)*name))
        return NO_GROUP;
    unsigned long group = strtoul(name, &end, 10);
    return *end || group >= NO_GROUP ? NO_GROUP : (uint32_t)group;
}

/* Only a VFIO driver makes the group's node. */
static bool read_node(int root_fd, const struct device *d)
{
    char path[ATTR_MAX];

    if (d->group == NO_GROUP || !driver_is_vfio(d->driver))
        return false;
    snprintf(path, sizeof(path), "dev/vfio/%u", d->group);
    return exists(root_fd, path);
}

/* The variant driver for the device, and whether its module is loaded. vfio_pci suits all. */
static void read_variant(struct context *c, struct device *d)
{
    char modalias[128], folder[MODULES_FOLDER_MAX];
    struct module_names drivers = {0};
    const char *module;

    if (!c->variants_known && modules_folder(c->root_fd, folder))
        (void)variant_aliases_read(c->root_fd, folder, &c->variants);
    c->variants_known = true;
    if (!*scan_attribute(c->root_fd, d->addr, "modalias", modalias, sizeof(modalias)))
        return;
    module = modules_variant(&c->variants, modalias);
    if (!module || streq(module, "vfio_pci"))
        return;
    d->module = strdup(module);
    if (modules_drivers(c->root_fd, module, &drivers) == 0 && drivers.n > 0)
        d->variant = strdup(drivers.v[0]);
}

/* Has the driver no "unbind"? Where a tree was copied, what can only be written is missing:
 * "uevent" as well, which every driver has. */
static bool is_fixed(int root_fd, const char *driver)
{
    char path[ATTR_MAX];

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", driver);
    if (exists(root_fd, path))
        return false;
    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/uevent", driver);
    return exists(root_fd, path);
}

/* What tells whether the host needs the device, or somebody has part of it. */
static int read_uses(struct context *c, struct device *d)
{
    unsigned base = d->class_code >> 16;
    int r = 0;

    if (base == PCI_BASE_CLASS_DISPLAY && !c->bars_known) {
        bars_read(c->root_fd, &c->bars);
        c->bars_known = true;
    }
    if (base == PCI_BASE_CLASS_DISPLAY)
        d->claimant = bars_claimant(c->root_fd, &c->bars, d->addr);
    if (driver_is_vfio(d->driver))
        return 0;
    d->fixed = d->driver && is_fixed(c->root_fd, d->driver);
    d->use = d->driver ? use_of(c->root_fd, d) : NULL;
    if (d->use || (base != PCI_BASE_CLASS_STORAGE && base != PCI_BASE_CLASS_NETWORK))
        return 0;
    if (!c->boot_known)
        r = boot_use_read(c->root_fd, &c->boot);
    c->boot_known = true;
    d->evidence = boot_use_of(c->root_fd, &c->boot, d);
    return r;
}

/* d->driver points into `driver` until the device is put into a snapshot. */
static int read_details(struct context *c, struct device *d, char driver[static NAME_MAX + 1])
{
    struct place p = short_way(&c->folder, c->root_fd, d->addr);
    char text[8];

    d->detailed = true;
    d->driver = link_name(p, d->addr, "driver", driver) ? driver : NULL;
    d->group = read_group(p, d->addr);
    if (!d->driver && d->group == NO_GROUP) { /* or it is not there */
        p = long_way(c->root_fd);
        d->driver = link_name(p, d->addr, "driver", driver) ? driver : NULL;
        d->group = read_group(p, d->addr);
    }
    d->node = read_node(c->root_fd, d);
    d->vf = has_attribute(p, d->addr, "physfn");
    /* Only bridges have this attribute, whatever their class says. A virtual function is none, and
     * has none of its own. */
    d->bridge = !d->vf && has_attribute(p, d->addr, "secondary_bus_number");
    d->has_vfs = !d->vf && has_attribute(p, d->addr, "virtfn0");
    /* Only VGA controllers have the attribute. */
    d->boot_display = d->class_code >> 8 == PCI_CLASS_DISPLAY_VGA &&
                      *scan_attribute(c->root_fd, d->addr, "boot_vga", text, sizeof(text)) == '1';
    d->slot = slots_name(&c->slots, d->addr);
    if (c->wants_serials)
        d->serial = serials_get(c->root_fd, &c->serials, d->addr, &d->serial_unread);
    if (c->wants_variants)
        read_variant(c, d);
    return read_uses(c, d);
}

/* -- which devices matter -- */

static int detail(struct context *c, struct snapshot *s, size_t i)
{
    struct device d = s->devices[i];
    char driver[NAME_MAX + 1];

    if (d.detailed)
        return 0;
    int r = read_details(c, &d, driver), q = snapshot_put(s, &d);
    return r < 0 ? r : q;
}

/* The functions of the same slot, which may have to come along. */
static int detail_slot(struct context *c, struct snapshot *s, size_t i)
{
    struct pci_addr a = s->devices[i].addr;
    int r = 0;

    while (i > 0 && pci_addr_same_slot(s->devices[i - 1].addr, a))
        i--;
    for (; r == 0 && i < s->n && pci_addr_same_slot(s->devices[i].addr, a); i++)
        r = detail(c, s, i);
    return r;
}

/* The members of the IOMMU group, which decide whether it is viable. */
static int detail_group(struct context *c, struct snapshot *s, uint32_t group)
{
    char path[ATTR_MAX];
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
        if (member)
            r = detail(c, s, (size_t)(member - s->devices));
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
static int detail_groups(struct context *c, struct snapshot *s)
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
        uint32_t group = read_group(short_way(&c->folder, c->root_fd, a), a);
        if (bsearch(&group, groups, n, sizeof(group), by_number))
            r = detail(c, s, i);
    }
    return r;
}

static int detail_relevant(struct context *c, struct snapshot *s)
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
    return !exists(root_fd, "run/systemd/units/invocation:multi-user.target") &&
           !exists(root_fd, "run/systemd/units/invocation:graphical.target");
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
    r = rootfs_open_dir(root_fd, DEVICES, &dir);

    while (dir && r == 0 && (e = readdir(dir))) {
        struct device d = {.group = NO_GROUP, .order = e->d_ino};
        if (pci_addr_parse(e->d_name, &d.addr) == 0 && identify(root_fd, &d))
            r = snapshot_append(s, &d);
    }
    snapshot_sort(s);
    return r;
}

int scan_all(int root_fd, const struct policy *p, struct snapshot *ret)
{
    CLEANUP(context_done) struct context c;
    int r = context_init(&c, root_fd, p);

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

    snprintf(path, sizeof(path), DEVICES "/%s", pci_addr_text(d->addr).s);
    if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        d->order = st.st_ino;
}

int scan_device(int root_fd, const struct policy *p, struct pci_addr a, struct snapshot *s)
{
    const struct device *before = snapshot_find(s, a);
    struct device d = {.addr = a, .group = NO_GROUP, .order = before ? before->order : 0};

    if (!identify(root_fd, &d)) {
        snapshot_remove(s, a);
        return 0;
    }
    CLEANUP(context_done) struct context c;
    int r = context_init(&c, root_fd, p);
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
static bool reread_driver(int root_fd, struct place p, struct snapshot *s, struct device *d)
{
    char name[NAME_MAX + 1];
    const char *driver = NULL;

    if (link_name(p, d->addr, "driver", name) && driver_is_vfio(name))
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
        struct place place = many ? short_way(&folder, root_fd, addrs[i]) : long_way(root_fd);
        if (!d || !d->detailed || d->claimant || !reread_driver(root_fd, place, s, d))
            r = scan_device(root_fd, p, addrs[i], s);
        else if (many)
            d->node = n_nodes > 0 && bsearch(&d->group, nodes, n_nodes, sizeof(*nodes), by_number);
        else
            d->node = read_node(root_fd, d);
    }
    return r;
}

/* -- for those who show it -- */

char *scan_attribute(int root_fd, struct pci_addr a, const char *name, char *buf, size_t size)
{
    char path[ATTR_MAX];

    if (rootfs_read_line(root_fd, attribute(path, a, name), buf, size) < 0)
        buf[0] = '\0';
    return buf;
}

bool scan_has_driver(int root_fd, struct pci_addr a, const char *driver)
{
    char name[NAME_MAX + 1];

    return link_name(long_way(root_fd), a, "driver", name) && streq(name, driver);
}

bool scan_has_vfs(int root_fd, struct pci_addr a)
{
    char path[ATTR_MAX];

    return exists(root_fd, attribute(path, a, "virtfn0"));
}

const char *scan_iommu(int root_fd)
{
    static const struct {
        const char *prefix, *kind;
    } kinds[] = {{"dmar", "intel"},
                 {"ivhd", "amd"},
                 {"smmu", "arm-smmu"},
                 {"arm-smmu", "arm-smmu"},
                 {"virtio", "virtio"}};
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, "sys/class/iommu", &dir);

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
