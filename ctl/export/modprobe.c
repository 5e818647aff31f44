/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export modprobe: the configuration for hosts without vfio-bindd. */
#include <pci/pci.h>

#include "export/items.h"
#include "export/kinds.h"

/* The size of the kernel's array for this parameter. */
#define IDS_MAX 1024

/* Modules that would take devices of this kind, besides their current drivers. 0: any. */
static const struct native_module {
    uint16_t vendor;
    unsigned class; /* base class */
    const char *module;
} natives[] = {
    {0x10de, PCI_BASE_CLASS_DISPLAY, "nvidia"},      {0x10de, PCI_BASE_CLASS_DISPLAY, "nouveau"},
    {0x1002, PCI_BASE_CLASS_DISPLAY, "amdgpu"},      {0x1002, PCI_BASE_CLASS_DISPLAY, "radeon"},
    {0x8086, PCI_BASE_CLASS_DISPLAY, "i915"},        {0x8086, PCI_BASE_CLASS_DISPLAY, "xe"},
    {0, PCI_BASE_CLASS_MULTIMEDIA, "snd_hda_intel"}, {0, PCI_BASE_CLASS_STORAGE, "nvme"},
    {0, PCI_BASE_CLASS_SERIAL, "xhci_pci"},          {0x15b3, PCI_BASE_CLASS_NETWORK, "mlx5_core"},
};

struct word_list {
    char **v;
    size_t n, allocated;
};

static void words_done(struct word_list *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
}

/* Adds a word unless it is there already. */
static bool add_module_word(struct word_list *w, const char *word)
{
    char *copy;

    if (word_index((const char *const *)w->v, w->n, word) >= 0)
        return true;
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)) || !(copy = strdup(word)))
        return false;
    w->v[w->n++] = copy;
    return true;
}

/* Names of modules have '_' where names of drivers may have '-'. */
static bool add_module(struct word_list *w, const char *driver)
{
    char name[64];

    snprintf(name, sizeof(name), "%s", driver);
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    return add_module_word(w, name);
}

static bool add_natives(struct word_list *w, const struct row *r)
{
    const char *before = r->live ? props_get(&r->live->props, "PreviousDriver") : "";

    if (*r->driver && !driver_is_vfio(r->driver) && !add_module(w, r->driver))
        return false;
    if (*before && !driver_is_vfio(before) && !add_module(w, before))
        return false;
    for (size_t i = 0; i < ELEMENTS(natives); i++)
        if ((natives[i].vendor == 0 || natives[i].vendor == r->d->vendor) &&
            natives[i].class == r->d->class_code >> 16 && !add_module_word(w, natives[i].module))
            return false;
    return true;
}

/* Companions are on the list as well: without them the groups are not viable. */
static bool collect_modules(struct export *e, struct word_list *ids, struct word_list *modules)
{
    const struct source *s = e->source;

    for (size_t i = 0; i < e->n_items; i++)
        if (!export_is_external(&e->items[i]) &&
            !add_module_word(ids, export_id(e->items[i].vendor, e->items[i].device).s))
            return false;
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        if (!r->v || !streq(r->v->driver, "vfio-pci"))
            continue;
        if (!add_module_word(ids, export_id(r->d->vendor, r->d->device).s) ||
            !add_natives(modules, r))
            return false;
    }
    return true;
}

static void write_limits(const struct export *e)
{
    fputs(
        "# The old way: vfio-pci takes every device of these IDs, if its module comes first.\n"
        "# What modprobe.d cannot express, and vfio-bindd does:\n"
        "# - one of two devices of the same ID (address, slot, serial, subsystem, class, native)\n"
        "# - keeping off devices that the host lives on, and devices that are in use\n"
        "# - devices that are plugged in later, while their native driver is loaded\n"
        "# - saying what came of it: a device that was lost to its native driver stays lost\n"
        "# After a change, and if the native driver is in the initramfs: update-initramfs -u\n",
        e->text);
}

static void say_lost(struct export *e)
{
    for (size_t i = 0; i < e->source->policy.n_rules; i++) {
        const struct rule *r = &e->source->policy.rules[i];
        if (rule_is_native(r))
            export_cannot(e,
                          "[device %s] leaves devices to their native driver: vfio-pci.ids has no "
                          "exceptions",
                          r->name);
        else if (!streq(rule_target(r), "vfio-pci"))
            export_cannot(e, "[device %s] wants driver %s: vfio-pci.ids is for vfio-pci alone",
                          r->name, rule_target(r));
    }
}

int export_modprobe(struct export *e)
{
    CLEANUP(words_done) struct word_list ids = {0};
    CLEANUP(words_done) struct word_list modules = {0};
    size_t length = 0;
    int r = export_items(e);

    if (r != 0)
        return r;
    say_lost(e);
    if (!collect_modules(e, &ids, &modules))
        return ctl_error("out of memory");
    for (size_t i = 0; i < ids.n; i++)
        length += strlen(ids.v[i]) + 1;
    if (ids.n == 0 || length > IDS_MAX)
        return ctl_error(ids.n ? "%zu IDs are more than vfio-pci.ids holds"
                               : "there are %zu IDs for vfio-pci",
                         ids.n);
    write_limits(e);
    fputs("options vfio-pci ids=", e->text);
    for (size_t i = 0; i < ids.n; i++)
        fprintf(e->text, "%s%s", i ? "," : "", ids.v[i]);
    fputc('\n', e->text);
    for (size_t i = 0; i < modules.n; i++)
        fprintf(e->text, "softdep %s pre: vfio-pci\n", modules.v[i]);
    return 0;
}
