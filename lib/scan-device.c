/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scan-device.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>

#include "rootfs.h"
#include "scan.h"
#include "use.h"
#include "util.h"

/* Long enough for any attribute's path. */
#define ATTR_MAX 320

int scan_context_init(struct scan_context *c, int root_fd, const struct policy *p)
{
    *c = (struct scan_context){.root_fd = root_fd,
                               .folder = BUS_FOLDER_NONE,
                               .policy = p,
                               .wants_serials = !p || policy_uses(p, KEY_SERIAL),
                               .wants_variants = !p || policy_uses_auto(p)};
    int r = !p || policy_uses(p, KEY_SLOT) ? slots_read(root_fd, &c->slots) : 0;
    return r == 0 && c->wants_serials ? serials_load(root_fd, &c->serials) : r;
}

void scan_context_done(struct scan_context *c)
{
    slots_done(&c->slots);
    serials_done(&c->serials);
    variant_aliases_done(&c->variants);
    bars_done(&c->bars);
    boot_use_done(&c->boot);
    bus_folder_close(&c->folder);
}

struct scan_place scan_long_way(int root_fd)
{
    return (struct scan_place){root_fd, SCAN_DEVICES "/"};
}

struct scan_place scan_short_way(struct bus_folder *f, int root_fd, struct pci_addr a)
{
    int fd = bus_folder_open(f, root_fd, a);

    return fd < 0 ? scan_long_way(root_fd) : (struct scan_place){fd, ""};
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
    return path_of(buf, SCAN_DEVICES "/", a, name);
}

bool scan_link_name(struct scan_place p, struct pci_addr a, const char *name,
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

bool scan_exists(int root_fd, const char *path)
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
bool scan_identify(int root_fd, struct device *d)
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

static bool has_attribute(struct scan_place p, struct pci_addr a, const char *name)
{
    char path[ATTR_MAX];

    return scan_exists(p.fd, path_of(path, p.folder, a, name));
}

uint32_t scan_group(struct scan_place p, struct pci_addr a)
{
    char name[NAME_MAX + 1], *end;

    if (!scan_link_name(p, a, "iommu_group", name) || !isdigit((unsigned char)*name))
        return NO_GROUP;
    unsigned long group = strtoul(name, &end, 10);
    return *end || group >= NO_GROUP ? NO_GROUP : (uint32_t)group;
}

/* Only a VFIO driver makes the group's node. */
bool scan_node(int root_fd, const struct device *d)
{
    char path[ATTR_MAX];

    if (d->group == NO_GROUP || !driver_is_vfio(d->driver))
        return false;
    snprintf(path, sizeof(path), "dev/vfio/%u", d->group);
    return scan_exists(root_fd, path);
}

/* Asked only where there is no group. */
static enum outlook read_outlook(struct scan_context *c, const struct device *d)
{
    if (d->group != NO_GROUP)
        return OUTLOOK_NONE;
    if (!c->viommu_known)
        viommu_read(c->root_fd, &c->viommu);
    c->viommu_known = true;
    return viommu_outlook(&c->viommu, d->addr);
}

/* The variant driver for the device, and whether its module is loaded. vfio_pci suits all. */
static void read_variant(struct scan_context *c, struct device *d)
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
    if (scan_exists(root_fd, path))
        return false;
    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/uevent", driver);
    return scan_exists(root_fd, path);
}

/* What tells whether the host needs the device, or somebody has part of it. */
static int read_uses(struct scan_context *c, struct device *d)
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

int scan_details(struct scan_context *c, struct device *d, char driver[static NAME_MAX + 1])
{
    struct scan_place p = scan_short_way(&c->folder, c->root_fd, d->addr);
    char text[8];

    d->detailed = true;
    d->driver = scan_link_name(p, d->addr, "driver", driver) ? driver : NULL;
    d->group = scan_group(p, d->addr);
    if (!d->driver && d->group == NO_GROUP) { /* or it is not there */
        p = scan_long_way(c->root_fd);
        d->driver = scan_link_name(p, d->addr, "driver", driver) ? driver : NULL;
        d->group = scan_group(p, d->addr);
    }
    d->iommu = read_outlook(c, d);
    d->node = scan_node(c->root_fd, d);
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

    return scan_link_name(scan_long_way(root_fd), a, "driver", name) && streq(name, driver);
}

bool scan_has_vfs(int root_fd, struct pci_addr a)
{
    char path[ATTR_MAX];

    return scan_exists(root_fd, attribute(path, a, "virtfn0"));
}
