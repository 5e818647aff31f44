/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: devices that are bound for virtual machines although no file says so. */
#include "import/refine.h"
#include "model/kinds.h"

/* Does it come along with another function of its card? */
static bool comes_with_card(const struct found *f, const struct import_rules *all,
                            const struct device *d)
{
    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *other = &f->s->snapshot.devices[i];
        if (other == d || !pci_addr_same_slot(other->addr, d->addr))
            continue;
        const struct import_rule *r = import_rules_match(all, other);
        if (r && !r->matched && !device_must_be_named(d, other))
            return true;
    }
    return false;
}

/* A device of the same model that driverctl gives to vfio-pci; NULL: none. */
static const struct device *driverctl_alike(const struct found *f, const struct device *d)
{
    for (size_t i = 0; i < f->n_claims; i++) {
        const struct claim *c = &f->claims[i];
        struct pci_addr a;
        if (c->origins.n == 0 || !strstr(c->origins.v[0], "(driverctl)") ||
            !streq(c->what.driver, "vfio-pci") || pci_addr_parse(c->what.address, &a) < 0)
            continue;
        const struct device *same = snapshot_find(&f->s->snapshot, a);
        if (same && same != d && same->vendor == d->vendor && same->device == d->device)
            return same;
    }
    return NULL;
}

void import_rules_find_unexplained(struct found *f, const struct import_rules *all)
{
    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i], *same;
        char path[64];
        if (!import_is_set_apart(d) || import_rules_match(all, d) || import_decided_by(f, d) ||
            comes_with_card(f, all, d))
            continue;
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_text(d->addr).s);
        same = streq(d->driver, "vfio-pci") ? driverctl_alike(f, d) : NULL;
        if (same)
            found_remark(f, path, 0,
                         "is on %s, and nothing that was read explains it. Its ID is that of %s, "
                         "and driverctl from 0.115 on makes vfio-pci take all devices of an ID "
                         "that no driver has. If it is to stay there, add its address",
                         d->driver, pci_addr_text(same->addr).s);
        else
            found_remark(f, path, 0,
                         "is on %s, and nothing that was read explains it: perhaps a script or a "
                         "command does it. If it is to stay there, add its address",
                         d->driver);
    }
}
