/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/relatives.h"

#include <pci/pci.h>

#include "model/kinds.h"

bool is_console_display(const struct row *r)
{
    static const uint16_t vendors[] = {0x1a03, 0x102b, 0x18ca, 0x1234,
                                       0x1013, 0x15ad, 0x1b36, 0x1af4};

    if (r->d->class_code >> 16 != PCI_BASE_CLASS_DISPLAY)
        return false;
    for (size_t i = 0; i < ELEMENTS(vendors); i++)
        if (r->d->vendor == vendors[i])
            return true;
    return r->boot_display || (r->d->vendor == 0x8086 && r->d->addr.bus == 0);
}

bool is_same_model(const struct row *a, const struct row *b)
{
    return a->d->vendor == b->d->vendor && a->d->device == b->d->device;
}

bool goes_with(const struct row *r, const struct row *other)
{
    return other == r || (r->d->group != NO_GROUP && other->d->group == r->d->group && !r->d->vf &&
                          !other->d->vf && pci_addr_same_slot(other->d->addr, r->d->addr) &&
                          !device_is_bridge(other->d) && device_must_be_named(other->d, r->d));
}

const struct row *stranger_in_group(const struct source *s, const struct row *r, const bool *named)
{
    for (size_t i = 0; r->d->group != NO_GROUP && i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        if (other->d->group == r->d->group && !device_is_bridge(other->d) && !named[i] &&
            (!pci_addr_same_slot(other->d->addr, r->d->addr) ||
             device_must_be_named(other->d, r->d)))
            return other;
    }
    return NULL;
}

const struct row *blocker_in_group(const struct source *s, const struct row *r)
{
    for (size_t i = 0; r->d->group != NO_GROUP && i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        if (other->d->group == r->d->group && device_is_bridge(other->d) &&
            !device_is_viable(other->d))
            return other;
    }
    return NULL;
}
