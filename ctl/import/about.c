/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: comments about the devices that the rules select. */
#include <pci/pci.h>

#include "fields.h"
#include "host/modules.h"
#include "host/pci-files.h"
#include "import/refine.h"
#include "model/kinds.h"

#define NAMED_MAX 8 /* maximum number of devices in the comment of a rule */

/* -- names, and what would be a better key than the address -- */

static size_t identical_to(const struct found *f, const struct device *d)
{
    size_t n = 0;

    for (size_t i = 0; i < f->s->snapshot.n; i++)
        n += f->s->snapshot.devices[i].vendor == d->vendor &&
             f->s->snapshot.devices[i].device == d->device;
    return n;
}

/* The address distinguishes identical devices, but only until a card is added. */
static void advise_on_key(struct found *f, struct import_rule *r, const struct device *d)
{
    size_t n = identical_to(f, d);

    if (n < 2 || !*r->what.address || r->addresses)
        return;
    if (d->slot && !strpbrk(d->slot, ",;#*?[]!\\\""))
        import_comment(f, r,
                       "%zu devices here are %04x:%04x: \"slot = %s\" also identifies this card, "
                       "and does not change when another card is added",
                       n, d->vendor, d->device, d->slot);
    else if (d->serial)
        import_comment(f, r,
                       "%zu devices here are %04x:%04x: \"serial = %s\" also identifies this card, "
                       "and does not change when another card is added",
                       n, d->vendor, d->device, d->serial);
    else
        import_comment(f, r,
                       "%zu devices here are %04x:%04x; an address can change when a card is "
                       "added; \"slot\" or \"serial\", if the device has one, cannot",
                       n, d->vendor, d->device);
}

static void name_device(struct found *f, struct import_rule *r, const struct device *d)
{
    char name[FIELD_TEXT_MAX];
    CLEANUP_FREE char *text = NULL;

    if (asprintf(&text, "%s (%04x:%04x) %s, driver %s", pci_addr_text(d->addr).s, d->vendor,
                 d->device, row_name(found_row(f, d), name), d->driver ? d->driver : "none") < 0)
        text = NULL;
    if (!text || !list_add(&r->devices, text))
        f->tree.failed = true;
}

/* A device that a virtual machine took when it started belonged to the host until then. */
static void tell_of_new_time(struct found *f, struct import_rule *r, const struct device *d)
{
    if (r->at_boot || !d->driver || driver_is_vfio(d->driver) || !driver_is_vfio(r->what.driver))
        return;
    import_comment(f, r,
                   "%s is on %s now: so far the host lost it when its virtual machine started; "
                   "with this rule it is bound now, and at each boot",
                   pci_addr_text(d->addr).s, d->driver);
}

static bool fits_something(const struct found *f, const struct import_rule *r)
{
    for (size_t i = 0; i < f->s->snapshot.n; i++)
        if (rule_test(import_rule_of(r), &f->s->snapshot.devices[i]) < 0)
            return true;
    return false;
}

/* Does the rule alone show that the host cannot depend on the selected devices? */
static bool is_harmless(const struct import_rule *r)
{
    const char *class = r->what.class;
    size_t n = strspn(class, "0123456789abcdef");
    struct device d = {.class_code = 0};

    if (n < 2 || n > 6)
        return false;
    for (size_t i = 0; i < 6; i++) {
        char digit[2] = {i < n ? class[i] : '0', '\0'};
        d.class_code = d.class_code << 4 | (uint32_t)strtoul(digit, NULL, 16);
    }
    return !device_may_carry_host(&d);
}

static void tell_of_absence(struct found *f, struct import_rule *r)
{
    import_comment(f, r, "no such device is here now");
    if (!*r->what.address && !r->addresses && !is_harmless(r))
        import_comment(f, r,
                       "if the host may need such a device, like a disk or a network card, "
                       "vfio-bindd takes it at boot only with its address");
}

static void describe_devices(struct found *f, const struct import_rules *all, struct import_rule *r)
{
    size_t n = 0;

    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (import_rules_match(all, d) != r || ++n > NAMED_MAX)
            continue;
        name_device(f, r, d);
        tell_of_new_time(f, r, d);
        if (n == 1)
            advise_on_key(f, r, d);
    }
    if (n > NAMED_MAX)
        import_comment(f, r, "and %zu more", n - NAMED_MAX);
    if (n == 0 && fits_something(f, r))
        import_comment(f, r, "the rules above decide about all matching devices of this host");
    else if (n == 0)
        tell_of_absence(f, r);
    if (streq(r->what.driver, "pci-stub"))
        import_comment(
            f, r,
            "pci-stub only keeps a device from the host, and starting the virtual machine moves it "
            "to vfio-pci; without \"driver\" it is on vfio-pci from the boot on");
    else if (!driver_is_vfio(r->what.driver))
        import_comment(f, r,
                       "vfio-bindd does not load this driver; \"driver = native\" leaves a device "
                       "to its native driver");
}

/* -- blacklists -- */

/* For displays and their audio functions, if the kernel's tables are not available. */
static const char *const usual_natives[] = {"nouveau", "nvidia", "nvidia_drm",   "nvidia_modeset",
                                            "amdgpu",  "radeon", "snd_hda_intel"};

static bool is_native_of(struct found *f, const char *folder, const struct device *d,
                         const char *module)
{
    struct module_names names = {0};
    char alias[128];

    pci_attribute(f->tree.root_fd, d->addr, "modalias", alias, sizeof(alias));
    if (!*folder || modules_native(f->tree.root_fd, folder, alias, &names) < 0)
        return (d->class_code >> 16 == PCI_BASE_CLASS_DISPLAY ||
                d->class_code >> 16 == PCI_BASE_CLASS_MULTIMEDIA) &&
               word_index(usual_natives, ELEMENTS(usual_natives), module) >= 0;
    for (size_t i = 0; i < names.n; i++) {
        for (char *c = names.v[i]; *c; c++)
            *c = (char)(*c == '-' ? '_' : *c);
        if (streq(names.v[i], module))
            return true;
    }
    return false;
}

static void judge_blacklist(struct found *f, const struct import_rules *all, const char *folder,
                            const struct blacklisted *b)
{
    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        const struct import_rule *r = import_rules_match(all, d);
        if (!r || !driver_is_vfio(r->what.driver) || !is_native_of(f, folder, d, b->module))
            continue;
        found_remark(f, b->path, b->line,
                     "%s is kept from loading; for %s that is no longer needed", b->module,
                     pci_addr_text(d->addr).s);
        return;
    }
}

static void judge_blacklists(struct found *f, const struct import_rules *all)
{
    char folder[160];

    found_modules_folder(f, folder);
    for (size_t i = 0; i < f->n_blacklisted; i++)
        judge_blacklist(f, all, folder, &f->blacklisted[i]);
}

void import_rules_describe(struct found *f, struct import_rules *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (!all->v[i].dropped)
            describe_devices(f, all, &all->v[i]);
    judge_blacklists(f, all);
}
