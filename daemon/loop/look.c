/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/look.h"

#include <errno.h>
#include <syslog.h>

#include "base/util.h"
#include "host/scan-host.h"
#include "host/scan.h"
#include "loop/record-seen.h"
#include "model/sriov.h"
#include "tell/journal.h"

/* Reads a device with all its details. */
static void look_at(struct view *view, struct pci_addr a)
{
    (void)scan_device(view->root_fd, &view->policy, a, &view->snapshot);
    view->missed |= !record_seen_look(view, a);
}

void look_at_group(struct view *view, struct pci_addr a)
{
    const struct device *d = snapshot_find(&view->snapshot, a);
    const uint32_t group = d ? d->group : NO_GROUP;

    for (size_t i = 0; i < view->snapshot.n; i++) {
        const struct device *member = &view->snapshot.devices[i];
        if (pci_addr_cmp(member->addr, a) == 0 || (group != NO_GROUP && member->group == group))
            look_at(view, member->addr);
    }
}

void look_at_devices(struct view *view, const struct pci_addr *addrs, size_t n)
{
    (void)scan_devices(view->root_fd, &view->policy, addrs, n, &view->snapshot);
    for (size_t i = 0; i < n; i++)
        view->missed |= !record_seen_look(view, addrs[i]);
}

static bool is_vf_to_remove(const struct device *d, const struct action *a)
{
    return a->kind == ACTION_SET_VFS && d->vf && pci_addr_cmp(d->pf, a->addr) == 0 && d->driver &&
           !driver_is_vfio(d->driver);
}

size_t look_at_vfs_to_remove(struct view *view)
{
    const struct snapshot *s = &view->snapshot;
    CLEANUP_FREE struct pci_addr *addrs = NULL;
    size_t n = 0, allocated = 0;

    for (size_t i = 0; i < view->plan.n_actions; i++)
        for (size_t k = 0; view->plan.actions[i].kind == ACTION_SET_VFS && k < s->n; k++) {
            if (!is_vf_to_remove(&s->devices[k], &view->plan.actions[i]))
                continue;
            if (grow(&addrs, &allocated, n, sizeof(*addrs)))
                addrs[n++] = s->devices[k].addr;
            else
                view->missed = true;
        }
    look_at_devices(view, addrs, n);
    return n;
}

void look_at_bindings(struct view *view, const struct pci_addr *addrs, size_t n)
{
    (void)scan_bindings(view->root_fd, &view->policy, addrs, n, &view->snapshot);
    for (size_t i = 0; i < n; i++)
        view->missed |= !record_seen_look(view, addrs[i]);
}

void look_at_drivers(struct view *view)
{
    (void)scan_drivers(view->root_fd, &view->snapshot);
    record_seen_drivers(view);
}

bool look_at_bars(struct view *view, bool again)
{
    return scan_bars(view->root_fd, again, &view->snapshot);
}

/* Reads devices that are ours although no rule concerns them any more: they may have to be handed
 * back. */
static void look_at_unnamed(struct view *view)
{
    CLEANUP_FREE struct pci_addr *addrs = calloc(view->records.n + 1, sizeof(*addrs));
    size_t n = 0;

    view->missed |= !addrs;
    for (size_t i = 0; addrs && i < view->records.n; i++) {
        const struct record *r = &view->records.v[i];
        const struct device *d = snapshot_find(&view->snapshot, r->addr);
        if (d && !d->detailed && (record_is_owned(r) || r->fresh || record_vfs_is_owned(&r->vfs)))
            addrs[n++] = r->addr;
    }
    (void)scan_devices(view->root_fd, &view->policy, addrs, n, &view->snapshot);
}

/* Virtual functions may have been created or removed without an event. */
static void look_at_physical(struct view *view)
{
    for (size_t i = view->records.n; i-- > 0;)
        if (record_vfs_is_owned(&view->records.v[i].vfs) && view->records.v[i].state != RECORD_GONE)
            view->missed |= !record_seen_look(view, view->records.v[i].addr);
}

static void take_snapshot(struct view *view, const struct snapshot *new)
{
    struct snapshot old = view->snapshot;

    view->snapshot = *new;
    record_seen_new_devices(view, &old);
    snapshot_done(&old);
    view->missed = record_seen_drop_vanished(view);
    look_at_unnamed(view);
    look_at_physical(view);
    record_seen_drivers(view);
}

int look_at_all(struct view *view, bool may_be_empty)
{
    struct snapshot new = {0};
    int r = scan_again(view->root_fd, &view->policy, &view->snapshot, &new);

    if (r == -ENOENT && may_be_empty) { /* a host without a PCI bus, or a container */
        if (!view->settled)
            journal_plain(LOG_ERR,
                          "there is no /sys/bus/pci: is sysfs mounted on /sys? Nothing is bound");
        r = 0;
    }
    if (r < 0)
        snapshot_done(&new);
    else
        take_snapshot(view, &new);
    return r;
}

/* Does the device have virtual functions that are not in the snapshot yet? */
static bool has_unseen_vfs(const struct view *view, struct pci_addr pf)
{
    const struct device *d = snapshot_find(&view->snapshot, pf);
    size_t n = 0;

    for (size_t i = 0; d && sriov_next_vf(&view->snapshot, d, &i);)
        n++;
    return d && n < d->n_vfs;
}

void look_at_results(struct view *view, const struct pci_addr *addrs, size_t n, bool alone)
{
    bool unseen = false, owed = false;

    look_at_bindings(view, addrs, n);
    for (size_t i = 0; i < view->records.n; i++)
        owed = owed || view->records.v[i].offer == OFFER_OWED;
    if (owed) /* a driver may be in the middle of its registration; otherwise its event has been
                 handled */
        look_at_drivers(view);
    for (size_t i = 0; alone && i < n; i++)
        unseen = unseen || has_unseen_vfs(view, addrs[i]);
    if (unseen)
        view->missed |= look_at_all(view, false) < 0;
}

/* A virtual function appeared or is gone, so the physical function is read again: no event tells
 * how many it has now. If a worker creates or removes them, this is done when the worker has
 * finished. */
static void look_at_physical_of(struct view *view, const struct device *vf)
{
    const struct pci_addr pf = vf->pf;
    const struct device *d = vf->vf ? snapshot_find(&view->snapshot, pf) : NULL;
    const struct record *r = d ? records_find(&view->records, pf) : NULL;

    if (d && d->vfs_max > 0 && !(r && record_is_in_hand(r)))
        look_at(view, pf);
}

/* A device is gone that the snapshot no longer has, because a scan between its unbind and its
 * removal did not find it. It may have been a virtual function of any physical function. */
static void look_at_each_physical(struct view *view)
{
    for (size_t i = 0; i < view->plan.n_vfs; i++)
        look_at_physical_of(view, &(struct device){.vf = true, .pf = view->plan.vfs[i].addr});
}

bool look_at_event(struct view *view, enum hotplug_action action, struct pci_addr a)
{
    if (action == HOTPLUG_ADD && view->snapshot.cold_boot)
        scan_boot(view->root_fd, &view->snapshot);
    record_seen_boot(view);
    const struct device *before = snapshot_find(&view->snapshot, a);
    const bool was_there = before;
    const struct device vf =
        before ? (struct device){.vf = before->vf, .pf = before->pf} : (struct device){0};
    /* Now there is another device at this address, or none. */
    if (action == HOTPLUG_ADD || action == HOTPLUG_REMOVE)
        snapshot_remove(&view->snapshot, a);
    if (action == HOTPLUG_ADD)
        look_at(view, a);
    else if (action != HOTPLUG_REMOVE)
        look_at_bindings(view, &a, 1);
    struct device *d = snapshot_find(&view->snapshot, a);
    if (d && action == HOTPLUG_ADD) {
        scan_order(view->root_fd, d);
        record_seen_plugged(view, a);
        look_at_physical_of(view, d);
    }
    if (action == HOTPLUG_REMOVE && !was_there)
        look_at_each_physical(view);
    else if (action == HOTPLUG_REMOVE)
        look_at_physical_of(view, &vf);
    d = snapshot_find(&view->snapshot, a);
    return d && record_seen_event(view, action, a);
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
