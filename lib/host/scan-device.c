/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/scan-device.h"

#include <ctype.h>
#include <fcntl.h>
#include <pci/pci.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "host/pci-files.h"
#include "host/vfs.h"

void scan_context_init(struct scan_context *c, int root_fd, const struct policy *p,
                       const struct snapshot *before, bool unsafe_noiommu)
{
    *c = (struct scan_context){.root_fd = root_fd,
                               .policy = p,
                               .before = before,
                               .unsafe_noiommu = unsafe_noiommu,
                               .wants_serials = !p || policy_uses(p, KEY_SERIAL),
                               .wants_vfs = !p || policy_uses(p, KEY_VFS),
                               .wants_vf_numbers = !p || policy_uses(p, KEY_VF_INDEX),
                               .wants_variants = !p || policy_uses_auto(p)};
    if (!p || policy_uses(p, KEY_SLOT) || policy_uses(p, KEY_VF_OF))
        c->slots_read = slots_read(root_fd, &c->slots);
    if (c->wants_serials)
        c->serials_read = serials_load(root_fd, &c->serials);
}

void scan_context_done(struct scan_context *c)
{
    slots_done(&c->slots);
    serials_done(&c->serials);
    variant_aliases_done(&c->variants);
    bars_done(&c->bars);
    vfio_nodes_done(&c->nodes);
    boot_use_done(&c->boot);
    host_use_done(&c->use);
}

/* -- unknown values keep their previous state -- */

static bool keep_flag(struct device *d, enum fact f, int r, const bool *before)
{
    return unknown_note(&d->unknown, f, r) ? before && *before : r > 0;
}

/* The same for a text; *text is the new value. */
static void keep_text(struct device *d, enum fact f, int r, char **text, char *const *before)
{
    if (!unknown_note(&d->unknown, f, r))
        return;
    free(*text);
    *text = before && *before ? strdup(*before) : NULL;
}

/* For scan_details(), where `old` is the previous state of the device, or NULL. */
#define BEFORE(field) (old ? &old->field : NULL)

/* The previous state of this device; NULL: none, or another device had the address. */
static const struct device *known_before(const struct scan_context *c, const struct device *d)
{
    const struct device *old = c->before ? snapshot_find(c->before, d->addr) : NULL;
    bool same = old && (old->order == d->order || old->order == 0 || d->order == 0) &&
                old->vendor == d->vendor && old->device == d->device;

    return same && old->detailed ? old : NULL;
}

/* -- the parts of a device -- */

/* The IOMMU matters only if there is no group. */
static void read_outlook(struct scan_context *c, struct device *d, const struct device *old)
{
    struct look *look = &c->viommu_look;

    if (d->group != NO_GROUP)
        return;
    if (!look->done)
        look->r = viommu_read(c->root_fd, &c->viommu);
    look->done = true;
    d->iommu = viommu_outlook(&c->viommu, d->addr);
    if (unknown_note(&d->unknown, FACT_IOMMU, look->r))
        d->iommu = old ? old->iommu : OUTLOOK_NONE;
}

/* Reads its driver and its group. */
static void read_driver_and_group(const struct scan_context *c, struct device *d,
                                  const struct device *old, char driver[static NAME_MAX + 1])
{
    int r = pci_link_name(c->root_fd, d->addr, "driver", driver);
    int q = pci_group(c->root_fd, d->addr, &d->group);

    d->driver = r > 0 ? driver : NULL;
    if (unknown_note(&d->unknown, FACT_DRIVER, r))
        d->driver = old ? old->driver : NULL;
    if (unknown_note(&d->unknown, FACT_GROUP, q))
        d->group = old ? old->group : NO_GROUP;
}

/* Reads the nodes through which a virtual machine opens it. */
static void read_nodes(struct scan_context *c, struct device *d, const struct device *old)
{
    if (!driver_is_vfio(d->driver))
        return;
    if (!c->nodes.read)
        vfio_nodes_read(c->root_fd, c->unsafe_noiommu, &c->nodes);
    d->node = old && old->node;
    d->noiommu = old && old->noiommu;
    vfio_nodes_group(c->root_fd, &c->nodes, d);
    if (vfio_nodes_device(c->root_fd, &c->nodes, d) < 0 && old && old->cdev)
        d->cdev = strdup(old->cdev);
}

/* For physical functions, if a rule may set their number of virtual functions, or if they have some
 * that may be ours. */
static void read_vfs(const struct scan_context *c, struct device *d, const struct device *old)
{
    int r = c->wants_vfs || d->has_vfs ? vfs_read(c->root_fd, d) : 0;

    if (!unknown_note(&d->unknown, FACT_KIND, r) || !old)
        return;
    d->vfs_max = old->vfs_max;
    d->n_vfs = old->n_vfs;
    d->autoprobe_off = old->autoprobe_off;
}

/* For virtual functions: which one it is. */
static void read_vf(struct scan_context *c, struct device *d, const struct device *old)
{
    int r = c->wants_vf_numbers ? vfs_read_number(c->root_fd, d) : 0;

    if (unknown_note(&d->unknown, FACT_KIND, r) && old)
        d->vf_number = old->vf_number;
    d->pf_slot = slots_name(&c->slots, d->pf);
    keep_text(d, FACT_SLOT, c->slots_read, &d->pf_slot, BEFORE(pf_slot));
}

static void read_kind(struct scan_context *c, struct device *d, const struct device *old)
{
    const int root_fd = c->root_fd;
    int r = vfs_read_physical(root_fd, d);

    if (r < 0 && old)
        d->pf = old->pf;
    d->vf = keep_flag(d, FACT_KIND, r, BEFORE(vf));
    /* All bridges have this attribute, and only they, whatever their class is. A virtual function
     * is not a bridge, and has no virtual functions itself. */
    r = d->vf ? 0 : pci_has_attribute(root_fd, d->addr, "secondary_bus_number");
    d->bridge = keep_flag(d, FACT_KIND, r, BEFORE(bridge));
    r = d->vf ? 0 : pci_has_vfs(root_fd, d->addr);
    d->has_vfs = keep_flag(d, FACT_KIND, r, BEFORE(has_vfs));
    if (d->vf)
        read_vf(c, d, old);
    else if (!d->bridge)
        read_vfs(c, d, old);
}

/* Only VGA controllers have the attribute boot_vga. */
static void read_display(int root_fd, struct device *d, const struct device *old)
{
    char text[8];
    int r = 0;

    if (d->class_code >> 8 == PCI_CLASS_DISPLAY_VGA) {
        r = pci_read_attribute(root_fd, d->addr, "boot_vga", text, sizeof(text));
        r = r > 0 ? *text == '1' : r;
    }
    d->boot_display = keep_flag(d, FACT_DISPLAY, r, BEFORE(boot_display));
}

static void read_slot_and_serial(struct scan_context *c, struct device *d, const struct device *old)
{
    int r = 0;

    d->slot = slots_name(&c->slots, d->addr);
    keep_text(d, FACT_SLOT, c->slots_read, &d->slot, BEFORE(slot));
    if (!c->wants_serials)
        return;
    r = serials_get(c->root_fd, &c->serials, c->serials_read, d->addr, &d->serial,
                    &d->serial_unread);
    keep_text(d, FACT_SERIAL, r, &d->serial, BEFORE(serial));
    if (fact_error(r) < 0) /* a rule with a serial number may select the device or exclude it */
        d->serial_unread = !old || old->serial_unread;
}

static int find_variant(struct scan_context *c, struct device *d)
{
    char modalias[128], folder[MODULES_FOLDER_MAX];
    struct module_names drivers = {0};
    struct look *look = &c->variants_look;
    const char *module;
    int r;

    if (!look->done) {
        r = modules_find_folder(c->root_fd, folder);
        look->r = r > 0 ? variant_aliases_read(c->root_fd, folder, &c->variants) : r;
        look->done = true;
    }
    if (fact_error(look->r) < 0)
        return look->r;
    r = pci_read_attribute(c->root_fd, d->addr, "modalias", modalias, sizeof(modalias));
    module = r > 0 ? modules_variant(&c->variants, modalias) : NULL;
    if (!module || streq(module, "vfio_pci"))
        return r < 0 ? r : 0;
    d->module = strdup(module);
    r = modules_drivers(c->root_fd, module, &drivers);
    if (r == 0 && drivers.n > 0)
        d->variant = strdup(drivers.v[0]);
    return !d->module || (r == 0 && drivers.n > 0 && !d->variant) ? -ENOMEM : fact_error(r);
}

/* Finds the variant driver for the device, and whether its module is loaded. vfio_pci itself
 * matches all devices and is not a variant. */
static void read_variant(struct scan_context *c, struct device *d, const struct device *old)
{
    int r = find_variant(c, d);

    keep_text(d, FACT_VARIANT, r, &d->module, BEFORE(module));
    keep_text(d, FACT_VARIANT, r, &d->variant, BEFORE(variant));
}

/* Does the driver lack the file "unbind"? A copy of /sys lacks all write-only files; it is
 * recognized by the absence of "uevent", which every driver has. */
static int is_fixed(int root_fd, const char *driver)
{
    char path[128];

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", driver);
    int r = rootfs_exists(root_fd, path);
    if (r != 0)
        return r < 0 ? r : 0;
    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/uevent", driver);
    return rootfs_exists(root_fd, path);
}

static void read_claimant(struct scan_context *c, struct device *d, const struct device *old)
{
    struct look *look = &c->bars_look;
    int r;

    if (d->class_code >> 16 != PCI_BASE_CLASS_DISPLAY)
        return;
    if (!look->done)
        look->r = bars_read(c->root_fd, &c->bars);
    look->done = true;
    r = look->r < 0 ? look->r : bars_claimant(c->root_fd, &c->bars, d->addr, &d->claimant);
    keep_text(d, FACT_BARS, r, &d->claimant, BEFORE(claimant));
}

/* Finds how the host uses the device now. There is nothing below a device without a driver. */
static int find_use(struct scan_context *c, struct device *d, struct below *below)
{
    struct look *look = &c->use_look;
    int r = d->driver ? below_walk(c->root_fd, d->addr, below) : 0, q;

    if (below->n == 0)
        return r;
    if (!look->done)
        look->r = host_use_read(c->root_fd, &c->use);
    look->done = true;
    /* A use that was found counts, even if the walk was incomplete. */
    q = use_of(&c->use, below, &d->use);
    if (q < 0 || d->use)
        return q;
    return r < 0 ? r : look->r;
}

/* Reads whether the host needs the device. */
static void read_uses(struct scan_context *c, struct device *d, const struct device *old)
{
    CLEANUP(below_done) struct below below = {0};
    struct look *look = &c->boot_look;
    int r = d->driver ? is_fixed(c->root_fd, d->driver) : 0;

    d->fixed = keep_flag(d, FACT_USE, r, BEFORE(fixed));
    keep_text(d, FACT_USE, find_use(c, d, &below), &d->use, BEFORE(use));
    if (d->use)
        return;
    if (!look->done)
        look->r = boot_use_read(c->root_fd, &c->boot);
    look->done = true;
    r = boot_use_of(c->root_fd, &c->boot, d, &below, &d->evidence);
    if (r == 0 && !d->evidence)
        r = look->r;
    keep_text(d, FACT_BOOT_USE, r, &d->evidence, BEFORE(evidence));
}

void scan_details(struct scan_context *c, struct device *d, char driver[static NAME_MAX + 1])
{
    const struct device *old = known_before(c, d);

    d->detailed = true;
    read_driver_and_group(c, d, old, driver);
    read_outlook(c, d, old);
    read_nodes(c, d, old);
    read_kind(c, d, old);
    read_display(c->root_fd, d, old);
    read_slot_and_serial(c, d, old);
    if (c->wants_variants)
        read_variant(c, d, old);
    read_claimant(c, d, old);
    if (!driver_is_vfio(d->driver) && !d->bridge)
        read_uses(c, d, old);
}
