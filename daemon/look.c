/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "look.h"

#include "notes.h"
#include "scan.h"
#include "util.h"

void look_at(struct view *view, struct pci_addr a)
{
    (void)scan_device(view->root_fd, &view->policy, a, &view->snapshot);
    view->unread |= !notes_look(view, a);
}

void look_at_bindings(struct view *view, const struct pci_addr *addrs, size_t n)
{
    (void)scan_bindings(view->root_fd, &view->policy, addrs, n, &view->snapshot);
    for (size_t i = 0; i < n; i++)
        view->unread |= !notes_look(view, addrs[i]);
}

void look_at_unnamed(struct view *view)
{
    for (size_t i = 0; i < view->records.n; i++) {
        const struct record *r = &view->records.v[i];
        const struct device *d = snapshot_find(&view->snapshot, r->addr);
        if (d && !d->detailed && (record_is_owned(r) || r->fresh))
            (void)scan_device(view->root_fd, &view->policy, r->addr, &view->snapshot);
    }
}

void look_at_unread(struct view *view)
{
    for (size_t i = 0; i < view->snapshot.n; i++)
        if (view->snapshot.devices[i].serial_unread)
            look_at(view, view->snapshot.devices[i].addr);
}

void look_at_module(struct view *view, const char *module)
{
    for (size_t i = 0; i < view->snapshot.n; i++) {
        const struct device *d = &view->snapshot.devices[i];
        if (d->module && streq(d->module, module))
            look_at(view, d->addr);
    }
}
