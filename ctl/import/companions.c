/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the other functions of a card. Other tools take only the devices that they name; a rule
 * also takes the other functions of the slot, or is refused because one of them must be named. */
#include "fields.h"
#include "import/refine.h"
#include "model/kinds.h"

/* Was the function not taken so far? */
static bool is_left_alone(const struct found *f, const struct import_rules *all,
                          const struct device *d)
{
    return !device_is_bridge(d) && !d->vf && !import_is_set_apart(d) &&
           !import_rules_match(all, d) && !import_decided_by(f, d);
}

static bool shares_group(const struct device *a, const struct device *b)
{
    return a->group != NO_GROUP && a->group == b->group;
}

static void hold_companion(struct found *f, struct import_rule *r, const struct device *d,
                           const struct device *other)
{
    char name[FIELD_TEXT_MAX], address[PCI_ADDR_MAX];
    bool along = !device_must_be_named(other, d), group = shares_group(d, other);

    if (!along && !group)
        return;
    r->matched = true;
    snprintf(address, sizeof(address), "%s", pci_addr_text(other->addr).s);
    row_name(found_row(f, other), name);
    if (along && group && !device_is_viable(other))
        import_comment(f, r,
                       "%s (%s) was left alone so far, so it does not come along. It is in the "
                       "same IOMMU group, though: as long as it is on %s, virtual machines cannot "
                       "use this one, and vfio-bindd says so. Without \"group = matched\" both go",
                       address, name, other->driver);
    else if (along)
        import_comment(
            f, r,
            "%s (%s) has been left alone so far; without \"group = matched\" it would come along",
            address, name);
    else
        import_comment(f, r,
                       "%s (%s) is in the same IOMMU group and was left alone so far: virtual "
                       "machines can use the one only with the other",
                       address, name);
}

static void hold_companions_of(struct found *f, const struct import_rules *all,
                               struct import_rule *r, const struct device *d)
{
    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *other = &f->s->snapshot.devices[i];
        if (other != d && pci_addr_same_slot(other->addr, d->addr) && is_left_alone(f, all, other))
            hold_companion(f, r, d, other);
    }
}

void import_rules_hold_companions(struct found *f, struct import_rules *all)
{
    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        const struct import_rule *r = import_rules_match(all, d);
        if (r && !device_is_bridge(d) && !d->vf)
            hold_companions_of(f, all, &all->v[r - all->v], d);
    }
}
