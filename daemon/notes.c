/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notes.h"

#include <errno.h>

#include "clock.h"
#include "util.h"

#define FLAP_WINDOW_USEC (60 * USEC_PER_SEC)
#define FLAPS_MAX 3

int notes_take_plan(struct view *view)
{
    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        const struct device *d = &view->snapshot.devices[v->device];
        struct record *r = records_get(&view->records, d->addr);
        if (!r)
            return -ENOMEM;
        if (r->seen_usec == 0)
            r->seen_usec = now_usec();
        if (d->driver && !streq(d->driver, v->driver) && !driver_is_vfio(d->driver))
            r->touched = true;
        if (v->reason == REASON_UNPROVEN_AT_BOOT || v->reason == REASON_NEEDED_AT_BOOT ||
            (v->reason == REASON_IN_USE && d->use)) {
            if (records_keep(&view->records, d) < 0)
                return -ENOMEM;
        }
        if (v->state != STATE_BOUND)
            continue;
        if (view->records.n_kept > 0)
            records_unkeep(&view->records, d->addr);
        r->lost = 0;
        r->ours = r->ours || fence_has(&view->records.fence, d);
        if (r->bound_usec == 0 && (r->overridden || r->hotplugged))
            r->bound_usec = now_usec() - r->seen_usec;
    }
    return 0;
}

void notes_drop_vanished(struct view *view)
{
    for (size_t i = view->records.n; i-- > 0;)
        if (!snapshot_find(&view->snapshot, view->records.v[i].addr) &&
            !view->records.v[i].in_flight)
            records_drop(&view->records, view->records.v[i].addr);
}

void notes_plugged(struct view *view, struct pci_addr a)
{
    const struct device *d = snapshot_find(&view->snapshot, a);
    struct record *r = records_get(&view->records, a);

    if (d && d->order > view->records.newest)
        view->records.newest = d->order;
    if (!r)
        return;
    r->hotplugged = r->fresh = true;
    r->unused_before = !view->snapshot.cold_boot;
}

/* `newest` is that of the run before us. */
static bool is_new(const struct device *d, const struct snapshot *before, uint64_t newest)
{
    const struct device *old = snapshot_find(before, d->addr);

    if (before->n == 0)
        return newest > 0 && d->order > newest;
    return !old || (old->order != 0 && d->order != 0 && old->order != d->order);
}

void notes_new_devices(struct view *view, const struct snapshot *before)
{
    const uint64_t newest = view->records.newest;

    for (size_t i = 0; i < view->snapshot.n; i++) {
        const struct device *d = &view->snapshot.devices[i];
        if (is_new(d, before, newest)) {
            notes_forget(view, d->addr);
            notes_plugged(view, d->addr);
        } else if (d->order > view->records.newest) {
            view->records.newest = d->order;
        }
    }
}

void notes_forget(struct view *view, struct pci_addr a)
{
    struct record *r = records_find(&view->records, a);

    if (r && r->in_flight) {
        r->replaced = true;
        r->confirmed = r->hotplugged = r->fresh = r->unused_before = false;
    } else {
        records_drop(&view->records, a);
    }
}

void notes_look(struct view *view, struct pci_addr a)
{
    const struct device *d = snapshot_find(&view->snapshot, a);
    struct record *r = records_find(&view->records, a);
    if (!d)
        notes_forget(view, a);
    else if (r && d->driver)
        r->unverified = false; /* whoever has it, the plan knows what to do */
    /* Whoever has it now: what the fence takes is on its driver at once. */
    if (d && r && d->driver &&
        !(streq(d->driver, FENCE_DRIVER) && fence_has(&view->records.fence, d)))
        r->fresh = false;
}

/* Somebody else took a bound device off its driver. Once or twice it is bound again; who insists is
 * not fought for ever. */
static void note_foreign_unbind(struct record *r)
{
    uint64_t now = now_usec();

    if (now - r->flap_usec > FLAP_WINDOW_USEC)
        r->flaps = 0;
    if (r->flaps == 0)
        r->flap_usec = now;
    r->contested = ++r->flaps >= FLAPS_MAX;
}

void notes_event(struct view *view, enum hotplug_action action, struct pci_addr a)
{
    struct record *r = records_find(&view->records, a);

    if (!r || (action != HOTPLUG_BIND && action != HOTPLUG_UNBIND))
        return;
    if (action == HOTPLUG_UNBIND && r->confirmed && !r->in_flight && !r->released)
        note_foreign_unbind(r);
    r->confirmed = action == HOTPLUG_BIND;
    r->early = false;
    r->overridden = false; /* whoever did it may have removed the override as well */
}

bool notes_dropped(struct view *view)
{
    bool any = false;

    for (size_t i = 0; i < view->records.n; i++) {
        struct record *r = &view->records.v[i];
        const struct device *d = snapshot_find(&view->snapshot, r->addr);
        r->dropped = r->ours && d && driver_is_vfio(d->driver) &&
                     !plan_find(&view->plan, &view->snapshot, r->addr);
        any = any || r->dropped;
    }
    return any;
}
