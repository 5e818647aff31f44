/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/items.h"

#include <pci/pci.h>

#include "export/say.h"
#include "offer/kubevirt.h"

static bool is_display(const struct device *d)
{
    return d->class_code >> 16 == PCI_BASE_CLASS_DISPLAY;
}

static struct export_item *find_item(const struct export *e, uint16_t vendor, uint16_t device)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (e->items[i].vendor == vendor && e->items[i].device == device)
            return &e->items[i];
    return NULL;
}

static struct export_item *add_export_item(struct export *e, uint16_t vendor, uint16_t device,
                                           const struct rule *rule, const char *driver)
{
    struct device d = {.vendor = vendor, .device = device};

    if (!grow(&e->items, &e->allocated_items, e->n_items, sizeof(*e->items)))
        return NULL;
    struct export_item *item = &e->items[e->n_items++];
    *item = (struct export_item){.vendor = vendor, .device = device, .rule = rule};
    item->driver = driver;
    item->named = rule->resource != NULL;
    if (item->named) {
        snprintf(item->resource, sizeof(item->resource), "%s", rule->resource);
    } else {
        CLEANUP_FREE char *model = names_device(e->source->names, &d);
        resource_default(vendor, device, model, item->resource);
    }
    return item;
}

/* -- devices that are here -- */

static bool share_fate(const struct device *a, const struct device *b)
{
    return pci_addr_same_slot(a->addr, b->addr) || (a->group != NO_GROUP && a->group == b->group);
}

/* If a rule names the audio or USB function of a GPU, the function is reserved with the GPU:
 * KubeVirt hands out the group, and attaches one function of it. */
static const struct row *gpu_of(const struct export *e, const struct row *r)
{
    if (is_display(r->d))
        return NULL;
    for (size_t i = 0; i < e->source->snapshot.n; i++) {
        const struct row *other = &e->source->rows[i];
        if (!export_lists(other) || !is_display(other->d) || !share_fate(other->d, r->d))
            continue;
        if (!r->v->rule->resource || r->v->rule == other->v->rule) /* no resource of its own */
            return other;
    }
    return NULL;
}

/* The resource under which a cluster would offer the device, or NULL. */
static const char *item_resource(const struct export *e, const struct row *r)
{
    const struct export_item *item =
        export_lists(r) && !gpu_of(e, r) ? find_item(e, r->d->vendor, r->d->device) : NULL;

    return item ? item->resource : NULL;
}

/* One device of a group is sufficient for KubeVirt to hand out the group. */
static bool group_is_counted(const struct export *e, const struct row *r, const char *resource)
{
    for (const struct row *other = e->source->rows; other < r; other++) {
        const char *its = other->d->group == r->d->group ? item_resource(e, other) : NULL;
        if (its && streq(its, resource) && driver_is_vfio(other->d->driver))
            return true;
    }
    return false;
}

/* Only the vendor and device of a rule remain: the first resource for them wins. */
static void say_second_name(struct export *e, const struct export_item *item,
                            const struct rule *rule)
{
    if (rule->resource && !streq(rule->resource, item->resource))
        export_cannot(e,
                      "%s has two resources, %s of [device %s] and %s of [device %s]: a list of "
                      "IDs has room for one, the first is taken",
                      export_id(item->vendor, item->device).s, item->resource, item->rule->name,
                      rule->resource, rule->name);
}

static int add_row(struct export *e, const struct row *r)
{
    struct export_item *item = find_item(e, r->d->vendor, r->d->device);
    bool first_of_rule = true;

    for (const struct row *other = e->source->rows; item && other < r; other++)
        if (export_lists(other) && other->v->rule == r->v->rule &&
            find_item(e, other->d->vendor, other->d->device) == item)
            first_of_rule = false;
    if (!item)
        item = add_export_item(e, r->d->vendor, r->d->device, r->v->rule, r->v->driver);
    if (!item)
        return -1;
    if (first_of_rule && item->rule != r->v->rule)
        say_second_name(e, item, r->v->rule);
    item->present = true;
    item->gpu = is_display(r->d);
    item->selected++;
    item->bound += streq(r->state, state_word(STATE_BOUND));
    if (!group_is_counted(e, r, item->resource)) {
        item->offered += kubevirt_offers(r->d);
        item->usable += r->usable;
    }
    return 0;
}

/* Printed once for each pair of models. */
static void say_goes_along(const struct export *e, const struct row *r, const struct row *gpu)
{
    for (const struct row *before = e->source->rows; before < r; before++)
        if (export_lists(before) && before->d->vendor == r->d->vendor &&
            before->d->device == r->d->device && gpu_of(e, before))
            return;
    ctl_note(e->ctl,
             "%s is not listed: it stays reserved beside %s (%s beside %s), which is what KubeVirt "
             "attaches",
             export_id(r->d->vendor, r->d->device).s, export_id(gpu->d->vendor, gpu->d->device).s,
             pci_addr_text(r->d->addr).s, pci_addr_text(gpu->d->addr).s);
}

static int add_rows(struct export *e)
{
    for (size_t i = 0; i < e->source->snapshot.n; i++) {
        const struct row *r = &e->source->rows[i];
        const struct row *gpu = export_lists(r) ? gpu_of(e, r) : NULL;
        if (gpu)
            say_goes_along(e, r, gpu);
        else if (export_lists(r) && add_row(e, r) < 0)
            return -1;
    }
    return 0;
}

/* -- devices that only the policy knows -- */

static bool is_here(const struct export *e, uint16_t vendor, uint16_t device)
{
    for (size_t i = 0; i < e->source->snapshot.n; i++) {
        const struct device *d = &e->source->snapshot.devices[i];
        if (d->vendor == vendor && d->device == device)
            return true;
    }
    return false;
}

/* Without the device its class is unknown, so the name has to do. */
static bool sounds_like_function_of_gpu(const struct export *e, uint16_t vendor, uint16_t device)
{
    struct device d = {.vendor = vendor, .device = device};
    CLEANUP_FREE char *name = names_device(e->source->names, &d);

    return name && (strstr(name, "Audio") || strstr(name, "USB") || strstr(name, "UCSI"));
}

/* Does an earlier rule leave all devices with this ID to the host? */
static bool is_carved_out(const struct policy *p, const struct rule *r, uint16_t vendor,
                          uint16_t device)
{
    struct device d = {.vendor = vendor, .device = device};

    for (const struct rule *earlier = p->rules; earlier < r; earlier++)
        if (rule_is_native(earlier) && rule_test(earlier, &d) < 0)
            return true;
    return false;
}

static int add_absent(struct export *e, const struct rule *r, uint16_t vendor, uint16_t device)
{
    const struct export_id id = export_id(vendor, device);

    if (find_item(e, vendor, device) || is_carved_out(&e->source->policy, r, vendor, device))
        return 0;
    if (is_here(e, vendor, device)) {
        if (!export_selects_any(e, r))
            ctl_note(e->ctl, "%s is not listed: [device %s] selects none of those that are here",
                     id.s, r->name);
        return 0;
    }
    if (r->n_ids > 1 && sounds_like_function_of_gpu(e, vendor, device)) {
        ctl_note(e->ctl, "%s of [device %s] is not listed: by its name it is reserved beside a GPU",
                 id.s, r->name);
        return 0;
    }
    struct export_item *item = add_export_item(e, vendor, device, r, rule_target(r));
    if (!item)
        return -1;
    item->gpu = true;
    ctl_note(e->ctl, "no device here is a %s: it is listed since [device %s] names it, as a GPU",
             id.s, r->name);
    return 0;
}

static int add_rule_ids(struct export *e)
{
    const struct policy *p = &e->source->policy;

    for (size_t i = 0; i < p->n_rules; i++) {
        const struct rule *r = &p->rules[i];
        if (rule_is_native(r) || !driver_is_vfio(rule_target(r)))
            continue;
        for (size_t j = 0; j < r->n_ids; j++)
            if (!r->ids[j].any_device && add_absent(e, r, r->ids[j].vendor, r->ids[j].device) < 0)
                return -1;
    }
    return 0;
}

static int check_names(const struct export *e)
{
    for (size_t i = 0; i < e->n_items; i++)
        for (size_t j = 0; j < i; j++) {
            const struct export_item *a = &e->items[i], *b = &e->items[j];
            if (!resource_collides(a->resource, b->resource))
                continue;
            return ctl_error("%s of [device %s] and %s of [device %s] are the same to KubeVirt "
                             "(upper case, '/' and '.' read as '_'): give one of them another "
                             "\"resource = DOMAIN/NAME\"",
                             a->resource, a->rule->name, b->resource, b->rule->name);
        }
    return 0;
}

/* KubeVirt identifies a device by its group. With two resources the same group could be promised to
 * two virtual machines; with one, the virtual machine gets one function. */
static int check_export_groups(const struct export *e)
{
    for (size_t i = 0; i < e->source->snapshot.n; i++) {
        const struct row *r = &e->source->rows[i];
        const char *resource = r->d->group != NO_GROUP ? item_resource(e, r) : NULL;
        for (const struct row *other = e->source->rows; resource && other < r; other++) {
            const char *its = other->d->group == r->d->group ? item_resource(e, other) : NULL;
            if (!its)
                continue;
            if (!streq(its, resource))
                return ctl_error("IOMMU group %u has %s as %s and %s as %s: KubeVirt hands out "
                                 "groups, so two virtual machines could be promised the same one; "
                                 "give both rules one resource, or take one of them out",
                                 r->d->group, pci_addr_text(other->d->addr).s, its,
                                 pci_addr_text(r->d->addr).s, resource);
            ctl_note(e->ctl,
                     "%s and %s are both %s in IOMMU group %u: KubeVirt offers the two once, and "
                     "attaches one of them",
                     pci_addr_text(other->d->addr).s, pci_addr_text(r->d->addr).s, resource,
                     r->d->group);
            break;
        }
    }
    return 0;
}

int export_items(struct export *e)
{
    if (add_rows(e) < 0 || add_rule_ids(e) < 0)
        return ctl_error("out of memory");
    if (e->n_items == 0)
        return ctl_error("no rule selects a device that virtual machines could have: nothing is "
                         "exported (vfio-bindctl suggest writes a policy)");
    export_say_lost(e);
    int r = check_names(e);
    if (r == 0)
        r = check_export_groups(e);
    if (r != 0)
        return r;
    export_say_state(e);
    return 0;
}
