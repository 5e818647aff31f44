/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/record-seen.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/rootfs.h"

/* An event of this kind, with the facts that the snapshot has of the device. */
static struct record_event observed(const struct view *view, const struct device *d,
                                    enum record_event_kind kind)
{
    return (struct record_event){.kind = kind,
                                 .now_usec = now_usec(),
                                 .device = d,
                                 .has_dynid = d && dynids_has(&view->records.dynids, d)};
}

/* -- plans -- */

static int take_verdict(struct view *view, const struct verdict *v)
{
    const struct device *d = snapshot_find(&view->snapshot, v->addr);
    struct record *r = records_get(&view->records, v->addr);
    struct record_event e = observed(view, d, RECORD_EVENT_JUDGED);

    assert(d); /* the plan was made from this snapshot */
    if (!r)
        return -ENOMEM;
    e.verdict.state = v->state;
    e.verdict.reason = v->reason;
    e.verdict.driver = v->driver;
    record_apply(r, &e);
    return 0;
}

/* The device was refused or released, and is absent. Is it certain that no rule would select it if
 * it came back? The record does not have everything that rules test: the slot, the serial number
 * and the device that it came along with are missing. */
static bool is_absent_unnamed(const struct view *view, const struct record *r)
{
    for (size_t i = 0; i < view->policy.n_rules; i++)
        if (!rule_is_native(&view->policy.rules[i]))
            return false;
    return record_has_past(r);
}

/* Is it certain that no rule selects the device? It is not if some of it could not be read. */
static bool is_known_unnamed(const struct view *view, const struct record *r)
{
    const struct device *d = snapshot_find(&view->snapshot, r->addr);

    if (view->policy.incomplete)
        return false;
    if (r->state == RECORD_GONE)
        return is_absent_unnamed(view, r);
    return d && !d->unidentified && (d->detailed || !record_is_owned(r)) &&
           !plan_find(&view->plan, d->addr) &&
           !plan_is_undecided(&view->policy, &view->snapshot, d);
}

/* Makes a record for each physical function with a verdict, and for each virtual function that will
 * go to its native driver once that may take it. */
static int take_vfs(struct view *view)
{
    const struct record_event kept = {.kind = RECORD_EVENT_KEPT_BACK};

    for (size_t i = 0; i < view->plan.n_vfs; i++)
        if (!records_get(&view->records, view->plan.vfs[i].addr))
            return -ENOMEM;
    for (size_t i = 0; i < view->snapshot.n; i++) {
        const struct device *d = &view->snapshot.devices[i];
        if (!plan_vf_is_kept_back(&view->plan, &view->snapshot, &view->records, d))
            continue;
        if (!records_get(&view->records, d->addr))
            return -ENOMEM;
        records_apply(&view->records, d->addr, &kept);
    }
    return 0;
}

int record_seen_plan(struct view *view)
{
    int changed = 0;

    for (size_t i = 0; i < view->plan.n_verdicts; i++)
        if (take_verdict(view, &view->plan.verdicts[i]) < 0)
            return -ENOMEM;
    if (take_vfs(view) < 0)
        return -ENOMEM;
    for (size_t i = view->records.n; i-- > 0;) {
        const struct record *r = &view->records.v[i];
        if (r->unnamed || !is_known_unnamed(view, r))
            continue;
        const struct record_event unnamed =
            observed(view, snapshot_find(&view->snapshot, r->addr), RECORD_EVENT_UNNAMED);
        changed = changed || !record_is_in_hand(r);
        records_apply(&view->records, r->addr, &unnamed);
    }
    return changed;
}

/* -- coming and going -- */

/* The driver is read only for devices that a rule may concern; any other device may be on a native
 * driver. */
static bool may_have_native_driver(const struct device *d)
{
    return !d || !d->detailed || (d->driver && !driver_is_vfio(d->driver));
}

/* The device was plugged in. If that was not observed, a native driver may have had it for a long
 * time. */
static void take_arrival(struct view *view, struct pci_addr a, bool is_seen)
{
    const struct device *d = snapshot_find(&view->snapshot, a);
    struct record *r = records_get(&view->records, a);
    struct record_event e = observed(view, d, RECORD_EVENT_APPEARED);

    e.unused = !view->snapshot.cold_boot && (is_seen || !may_have_native_driver(d));
    if (d && d->order > view->records.newest)
        view->records.newest = d->order;
    if (r)
        record_apply(r, &e);
}

void record_seen_plugged(struct view *view, struct pci_addr a)
{
    take_arrival(view, a, true);
}

/* Is the device new, or was it missing from the last snapshot only because it could not be read? In
 * the second case its number is not above `newest`, the highest number known before, and its record
 * does not say that it was removed. The number alone is not sufficient: the event of a removed card
 * may be read only after the next card has appeared (lab: storm). */
static bool is_new(const struct view *view, const struct device *d, const struct snapshot *before,
                   uint64_t newest)
{
    const struct device *old = snapshot_find(before, d->addr);
    const struct record *r = records_find(&view->records, d->addr);
    bool is_known = before->n == 0 || (r && r->state != RECORD_GONE);

    if (old)
        return old->order != 0 && d->order != 0 && old->order != d->order;
    if (is_known && d->order != 0 && newest != 0)
        return d->order > newest;
    return before->n > 0;
}

/* A device that appeared after the boot, during an earlier run, is recognised by its number. */
static void take_late_comer(struct view *view, const struct device *d)
{
    const struct record_event late = {.kind = RECORD_EVENT_CAME_LATE,
                                      .unused = !may_have_native_driver(d)};
    struct record *r = records_get(&view->records, d->addr);

    if (r)
        record_apply(r, &late);
}

void record_seen_boot(struct view *view)
{
    if (!view->snapshot.cold_boot && view->records.newest_at_boot == 0)
        view->records.newest_at_boot = view->records.newest;
}

void record_seen_new_devices(struct view *view, const struct snapshot *before)
{
    const uint64_t newest = view->records.newest, at_boot = view->records.newest_at_boot;

    for (size_t i = 0; i < view->snapshot.n; i++) {
        const struct device *d = &view->snapshot.devices[i];
        if (is_new(view, d, before, newest)) {
            record_seen_forget(view, d->addr);
            take_arrival(view, d->addr, before->n > 0);
            continue;
        }
        if (at_boot != 0 && d->order > at_boot && before->n == 0)
            take_late_comer(view, d);
        if (d->order > view->records.newest)
            view->records.newest = d->order;
    }
    record_seen_boot(view);
}

void record_seen_forget(struct view *view, struct pci_addr a)
{
    const struct record_event e = {.kind = RECORD_EVENT_DISAPPEARED};

    records_apply(&view->records, a, &e);
}

/* The snapshot does not have the device: is it gone, or could it not be read? */
static bool is_known_gone(const struct view *view, struct pci_addr a)
{
    char path[64];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_text(a).s);
    return rootfs_exists(view->root_fd, path) == 0;
}

bool record_seen_drop_vanished(struct view *view)
{
    bool unread = false;

    for (size_t i = view->records.n; i-- > 0;) {
        const struct record *r = &view->records.v[i];
        if (r->state == RECORD_GONE || snapshot_find(&view->snapshot, r->addr))
            continue;
        if (is_known_gone(view, r->addr))
            record_seen_forget(view, r->addr);
        else
            unread = true;
    }
    return unread;
}

bool record_seen_look(struct view *view, struct pci_addr a)
{
    const struct device *d = snapshot_find(&view->snapshot, a);

    if (d) {
        const struct record_event e = observed(view, d, RECORD_EVENT_LOOKED);
        records_apply(&view->records, a, &e);
    } else if (is_known_gone(view, a)) {
        record_seen_forget(view, a);
    } else {
        return false;
    }
    return true;
}

bool record_seen_event(struct view *view, enum hotplug_action action, struct pci_addr a)
{
    struct record *r = records_find(&view->records, a);

    if (!r || action == HOTPLUG_ADD || action == HOTPLUG_REMOVE)
        return false;
    const struct record_event e = observed(view, snapshot_find(&view->snapshot, a),
                                           action == HOTPLUG_DOUBT  ? RECORD_EVENT_CLOSED
                                           : action == HOTPLUG_BIND ? RECORD_EVENT_BOUND
                                                                    : RECORD_EVENT_UNBOUND);
    record_apply(r, &e);
    return record_is_waiting(r);
}

void record_seen_doubt(struct view *view)
{
    for (size_t i = 0; i < view->records.n; i++) {
        const struct pci_addr a = view->records.v[i].addr;
        const struct record_event e =
            observed(view, snapshot_find(&view->snapshot, a), RECORD_EVENT_CLOSED);
        record_apply(&view->records.v[i], &e);
    }
}

void record_seen_drivers(struct view *view)
{
    const struct snapshot *s = &view->snapshot;
    struct record_event e = {.kind = RECORD_EVENT_DRIVERS};

    if (s->unknown.fact != FACT_NONE) /* it may be this device */
        return;
    for (size_t i = 0; i < s->n_registered; i++)
        if (s->registered[i].order > e.drivers.newest)
            e.drivers.newest = s->registered[i].order;
    view->records.drivers = s->registering != 0 ? s->registering - 1 : e.drivers.newest;
    /* As long as the write of an entry hangs, vfio-pci may still take the device because of it. */
    e.drivers.registering = s->registering != 0 || view->records.dynids.hanging > 0;
    records_apply_all(&view->records, &e);
}

void record_seen_iommu(struct view *view)
{
    const struct record_event e = {.kind = RECORD_EVENT_RESCAN};

    view->records.iommu_given_up = false;
    for (size_t i = 0; i < view->snapshot.n; i++)
        if (view->snapshot.devices[i].group == NO_GROUP)
            records_apply(&view->records, view->snapshot.devices[i].addr, &e);
}
