/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The effect of each event on the record of a device. */
#include "model/record-event.h"

#include "base/util.h"
#include "model/dynids.h"
#include "model/record-health.h"
#include "model/record-offer.h"
#include "model/record-operation.h"
#include "model/record-state.h"

#define FLAP_WINDOW_USEC (60 * USEC_PER_SEC)
#define FLAPS_MAX 3

/* -- its binding and its override -- */

/* The override may have been changed, or the target may be another driver by now. */
static void doubt_override(struct record *r)
{
    if (r->override == OVERRIDE_OURS)
        r->override = OVERRIDE_MAYBE;
}

/* If vfio-pci has a device that was new, or was about to get a placeholder, then one of our entries
 * caught it. The binding stays ours even if the entry is removed. The next plan decides whether the
 * device may stay there. */
static void note_catch(struct record *r, const struct record_event *e)
{
    if ((!r->fresh && !r->placeholder) || !e->has_dynid || !e->device ||
        !streq_null(e->device->driver, DYNID_DRIVER) || record_is_bound_by_us(r))
        return;
    r->binding = record_is_confirmed(r) ? BINDING_OURS : BINDING_CLAIMED;
}

/* -- coming and going -- */

/* Clears the record. If a worker still has the old device, that is remembered until the worker
 * returns. */
static void forget(struct record *r)
{
    const struct record old = *r;

    record_set_text(&r->override_text, NULL);
    record_set_text(&r->previous_driver, NULL);
    record_set_text(&r->holder, NULL);
    record_set_text(&r->reset_method, NULL);
    *r = (struct record){.addr = old.addr,
                         .state = RECORD_GONE,
                         .past = old.past,
                         .work = !record_is_in_hand(&old) ? WORK_NONE
                                 : record_is_stuck(&old)  ? WORK_STUCK_FOR_ANOTHER
                                                          : WORK_RUNNING_FOR_ANOTHER};
}

static bool is_the_same(const struct record_past *k, const struct device *d)
{
    return k->vendor == d->vendor && k->device == d->device && k->subvendor == d->subvendor &&
           k->subdevice == d->subdevice && k->class_code == d->class_code;
}

/* If no event said that the previous device at this address is gone, its record is cleared
 * first. */
static void appear(struct record *r, const struct record_event *e)
{
    if (r->state != RECORD_GONE)
        forget(r);
    if (!e->device || (!e->device->unidentified && !is_the_same(&r->past, e->device)))
        r->past = (struct record_past){0};
    record_enter(r, r->past.released ? RECORD_RELEASING : RECORD_OPEN);
    r->arrival = e->unused ? ARRIVAL_UNUSED : ARRIVAL_PLUGGED;
    r->fresh = true;
    r->seen_usec = e->now_usec;
}

/* Sets only the arrival: after a restart nothing else is known about a device that no rule
 * selected. */
static void come_late(struct record *r, const struct record_event *e)
{
    if (r->arrival == ARRIVAL_THERE)
        r->arrival = e->unused ? ARRIVAL_UNUSED : ARRIVAL_PLUGGED;
}

/* The device stays with its driver, so from now on the host may use it. If its details were not
 * read, it is unknown whether it has a driver. */
static void leave_to_host(struct record *r, const struct device *d)
{
    const bool has_native = d && d->driver && !driver_is_vfio(d->driver);

    if (r->arrival == ARRIVAL_UNUSED && (has_native || (d && !d->detailed)))
        r->arrival = ARRIVAL_PLUGGED;
}

/* A device was being handed back: where is it now? If vfio-pci has it, that is our doing: while the
 * write of an entry hung, it waited for the device, and bound it before its override was removed.
 * Then the device is handed back again. */
static void arrive(struct record *r, const char *driver)
{
    if (!streq_null(driver, DYNID_DRIVER) || record_count_attempt(r)) {
        record_enter(r, RECORD_HANDED_BACK);
        return;
    }
    r->binding = BINDING_OURS;
    record_enter(r, RECORD_HANDING_BACK);
}

/* A released card that came back was offered to its native driver too early, before the kernel let
 * any driver match it, or the write of an entry hangs. If one of our entries has caught the card
 * since, it is handed back again. */
static void catch_released(struct record *r, const struct record_event *e)
{
    if (r->state == RECORD_RELEASED && (r->fresh || r->offer != OFFER_NONE) && e->has_dynid &&
        e->device && streq_null(e->device->driver, DYNID_DRIVER) && !record_count_attempt(r))
        record_enter(r, RECORD_RELEASING);
}

static void look(struct record *r, const struct record_event *e)
{
    const char *driver = e->device ? e->device->driver : NULL;

    if (r->state == RECORD_GONE)
        record_enter(r, RECORD_OPEN);
    if (r->state == RECORD_HANDED_BACK_UNSEEN ||
        (r->state == RECORD_HANDED_BACK && driver && r->offer != OFFER_NONE))
        arrive(r, driver);
    if (e->device && e->device->detailed && e->device->unknown.fact == FACT_NONE &&
        !record_is_in_hand(r))
        record_vfs_look(&r->vfs, e->device->n_vfs);
    if (!driver)
        return;
    if (r->unnamed)
        leave_to_host(r, e->device);
    /* An earlier run handed the device back, and was killed before it could record that. */
    if (r->binding == BINDING_CLAIMED && !driver_is_vfio(driver) &&
        !record_is_overridden_to(r, driver))
        r->binding = BINDING_UNKNOWN;
    if (record_is_going_back(r) && !record_is_owned(r))
        arrive(r, driver);
    if (r->state == RECORD_UNVERIFIED) /* the next plan decides, whatever driver has it */
        record_enter(r, RECORD_OPEN);
    /* A device is new until a driver has it; being caught by one of our entries does not count. */
    if (!(streq(driver, DYNID_DRIVER) && (e->has_dynid || record_is_bound_by_us(r))))
        r->fresh = false;
    note_catch(r, e);
    catch_released(r, e);
    r->offer = OFFER_NONE;
}

/* -- drivers -- */

/* Somebody else unbound the device. It is bound again, but only a limited number of times. */
static void count_foreign_unbind(struct record *r, uint64_t now)
{
    if (now - r->flap_usec > FLAP_WINDOW_USEC)
        r->flaps = 0;
    if (r->flaps == 0)
        r->flap_usec = now;
    if (++r->flaps >= FLAPS_MAX)
        record_enter(r, RECORD_CONTESTED);
}

/* A device that lost its driver is usually about to be unplugged, and a bind would fail. So it is
 * left alone for a moment. Further unbinds do not prolong that moment, since somebody may repeat
 * them for ever. */
static void apply_unbound(struct record *r, const struct record_event *e)
{
    if (record_is_confirmed(r) && !record_is_in_hand(r) && !record_is_released(r))
        count_foreign_unbind(r, e->now_usec);
    r->binding = BINDING_UNKNOWN;
    record_vfs_retry(&r->vfs);
    doubt_override(r);
    if (!record_is_in_hand(r) && !record_is_waiting(r) && e->device && !e->device->driver)
        r->not_before_usec = e->now_usec + RECORD_MOMENT_USEC;
}

static void apply_bound(struct record *r, const struct record_event *e)
{
    record_confirm(r);
    record_vfs_bound(&r->vfs);
    note_catch(r, e);
    catch_released(r, e);
    if (r->unnamed)
        leave_to_host(r, e->device);
    doubt_override(r);
    r->not_before_usec = 0;
}

/* -- verdicts -- */

static void remember(struct record *r, const struct device *d, enum reason reason)
{
    const bool needed = reason == REASON_HOST_USE_UNKNOWN || reason == REASON_NEEDED_AT_BOOT ||
                        (reason == REASON_IN_USE && d->use);
    const bool refused = needed || r->past.refused, released = record_is_released(r);
    const bool has_native = d->driver && !driver_is_vfio(d->driver);
    const bool had_driver = r->past.had_driver;

    r->past = (struct record_past){0};
    if (!refused && !released)
        return;
    r->past = (struct record_past){.vendor = d->vendor,
                                   .device = d->device,
                                   .subvendor = d->subvendor,
                                   .subdevice = d->subdevice,
                                   .class_code = d->class_code,
                                   .refused = refused,
                                   .had_driver = had_driver || (needed && has_native),
                                   .released = released};
}

static void apply_verdict(struct record *r, const struct record_event *e)
{
    const struct device *d = e->device;

    r->unnamed = false;
    /* A rule selects it again. */
    if ((record_is_going_back(r) && !reason_sends_back(e->verdict.reason)) ||
        r->state == RECORD_HANDED_BACK_UNSEEN || r->state == RECORD_HANDED_BACK ||
        r->state == RECORD_GONE)
        record_enter(r, RECORD_OPEN);
    if (r->seen_usec == 0)
        r->seen_usec = e->now_usec;
    if (d->driver && !streq_null(d->driver, e->verdict.driver) && !driver_is_vfio(d->driver) &&
        !record_is_bound_by_us(r)) /* we bound it there for an earlier policy */
        r->touched = true;
    if (e->verdict.state == STATE_REFUSED && e->verdict.reason != REASON_UNREADABLE &&
        e->verdict.reason != REASON_GROUP_MEMBER_REFUSED) /* these two reasons may soon be gone */
        leave_to_host(r, d);
    remember(r, d, e->verdict.reason);
    if (e->verdict.state != STATE_REFUSED && !record_is_released(r))
        r->offer = OFFER_NONE; /* native drivers must not have it */
    if (e->verdict.state != STATE_BOUND)
        return;
    r->past = (struct record_past){0}; /* the host does not need it */
    r->fresh = false;                  /* if an entry caught it, that was right */
    r->attempts = 0;
    if (record_is_confirmed(r) && (e->has_dynid || record_is_overridden_to(r, d->driver)))
        r->binding = BINDING_OURS;
    if (r->bound_usec == 0 && (record_is_overridden(r) || record_is_plugged(r)))
        r->bound_usec = e->now_usec - r->seen_usec;
}

/* No rule selects the device any more. An earlier failure to bind it must not prevent that it is
 * handed back (a failure to hand it back does), and an earlier refusal no longer counts. Nothing
 * changes while a worker has the device. */
static void apply_unnamed(struct record *r, const struct record_event *e)
{
    if (r->unnamed || record_is_in_hand(r))
        return;
    r->past = (struct record_past){0};
    if (r->state == RECORD_GONE)
        return;
    leave_to_host(r, e->device);
    note_catch(r, e);
    r->unnamed = true;
    r->attempts = r->flaps = 0;
    if (!record_is_going_back(r))
        record_enter(r, r->state == RECORD_RELEASED ? RECORD_HANDED_BACK : RECORD_OPEN);
}

static void note_told(struct record *r, const struct record_event *e)
{
    r->told.any = true;
    r->told.state = e->verdict.state;
    r->told.reason = e->verdict.reason;
    r->told.unusable = e->verdict.unusable;
}

/* -- requests -- */

/* Forgets failures, so that the next plan tries again. */
static void retry(struct record *r)
{
    if (r->state == RECORD_RELEASE_FAILED || r->state == RECORD_RELEASED)
        record_enter(r, RECORD_RELEASING);
    else if (r->state != RECORD_RELEASING && !record_is_going_back(r))
        record_enter(r, RECORD_OPEN);
    r->flaps = r->attempts = r->unseen = 0;
    r->not_before_usec = 0;
    doubt_override(r);
    record_vfs_retry(&r->vfs);
    record_set_text(&r->holder, NULL);
    record_health_retry(r);
}

static void ask_for(struct record *r, enum record_state wanted)
{
    r->past.released = r->vfs.released = false;
    if (r->state == RECORD_GONE)
        return;
    retry(r);
    if (!record_is_going_back(r)) /* handing back continues until a rule selects the device */
        record_enter(r, wanted);
}

/* -- time -- */

static void end_wait(struct record *r, uint64_t now_usec)
{
    if (!record_is_waiting(r) || now_usec < r->not_before_usec)
        return;
    r->not_before_usec = 0;
    if (record_is_unseen(r))
        record_enter(r, record_is_released(r) ? RECORD_RELEASING : RECORD_OPEN);
}

/* -- all -- */

static void apply_work(struct record *r, const struct record_event *e)
{
    switch (e->kind) {
    case RECORD_EVENT_CLAIMED:
        if (!record_is_in_hand(r))
            r->work = WORK_RUNNING;
        break;
    case RECORD_EVENT_HANGS:
        r->work = record_is_replaced(r) ? WORK_STUCK_FOR_ANOTHER : WORK_STUCK;
        break;
    default:
        r->work = WORK_NONE;
        break;
    }
}

/* Can the event change the record of a device that is gone? It can if it is about the return of the
 * device, its worker, or the policy. */
static bool concerns_gone(const struct record *r, const struct record_event *e)
{
    switch (e->kind) {
    case RECORD_EVENT_APPEARED:
    case RECORD_EVENT_DISAPPEARED:
    case RECORD_EVENT_LOOKED:
    case RECORD_EVENT_JUDGED:
    case RECORD_EVENT_UNNAMED:
    case RECORD_EVENT_CLAIMED:
    case RECORD_EVENT_HANGS:
    case RECORD_EVENT_RETURNED:
    case RECORD_EVENT_RELOAD:
        return true;
    default:
        return r->state != RECORD_GONE;
    }
}

void record_apply(struct record *r, const struct record_event *e)
{
    if (!concerns_gone(r, e))
        return;
    switch (e->kind) {
    case RECORD_EVENT_APPEARED:
        return appear(r, e);
    case RECORD_EVENT_CAME_LATE:
        return come_late(r, e);
    case RECORD_EVENT_DISAPPEARED:
        return forget(r);
    case RECORD_EVENT_LOOKED:
        return look(r, e);
    case RECORD_EVENT_BOUND:
        return apply_bound(r, e);
    case RECORD_EVENT_UNBOUND:
        return apply_unbound(r, e);
    case RECORD_EVENT_JUDGED:
        return apply_verdict(r, e);
    case RECORD_EVENT_UNNAMED:
        return apply_unnamed(r, e);
    case RECORD_EVENT_BEGINS:
        return record_operation_begins(r, &e->op);
    case RECORD_EVENT_CLAIMED:
    case RECORD_EVENT_HANGS:
    case RECORD_EVENT_RETURNED:
        return apply_work(r, e);
    case RECORD_EVENT_DONE:
        return record_operation_ended(r, &e->op, OUTCOME_RESULT, e->now_usec);
    case RECORD_EVENT_GROUP_KEPT:
        return record_operation_ended(r, &e->op, OUTCOME_GROUP_KEPT, e->now_usec);
    case RECORD_EVENT_DIED:
        return record_operation_ended(r, &e->op, OUTCOME_DIED, e->now_usec);
    case RECORD_EVENT_RELEASE:
        return ask_for(r, RECORD_RELEASING);
    case RECORD_EVENT_BIND:
    case RECORD_EVENT_RELOAD:
        return ask_for(r, RECORD_OPEN);
    case RECORD_EVENT_RESCAN:
        return retry(r);
    case RECORD_EVENT_RELEASE_VFS:
        return record_vfs_release(&r->vfs);
    case RECORD_EVENT_KEPT_BACK:
        if (r->state == RECORD_OPEN)
            record_enter(r, RECORD_HANDING_BACK);
        return;
    case RECORD_EVENT_TIME:
        return end_wait(r, e->now_usec);
    case RECORD_EVENT_DRIVERS:
        return record_offer_drivers(r, e->drivers.newest, e->drivers.registering);
    case RECORD_EVENT_TOLD:
        return note_told(r, e);
    case RECORD_EVENT_CLOSED:
        return record_health_doubt(r, e->device, e->now_usec + RECORD_MOMENT_USEC);
    case RECORD_EVENT_MAX:
        return;
    }
}
