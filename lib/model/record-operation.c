/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record-operation.h"

#include <errno.h>

#include "base/util.h"
#include "model/record-health.h"
#include "model/record-offer.h"
#include "model/record-state.h"

/* The delay before the next attempt if something could not be seen; it doubles each time. */
#define UNSEEN_FIRST_USEC (5 * USEC_PER_SEC)
#define UNSEEN_LAST_USEC (60 * USEC_PER_SEC)

void record_operation_begins(struct record *r, const struct record_operation *op)
{
    switch (op->kind) {
    case ACTION_OVERRIDE:
        /* Until the write is done, or if it is never done (somebody has the group), an earlier
         * override may be in place. */
        r->override_new = !record_may_be_overridden(r);
        if (r->override_new)
            record_set_text(&r->override_text, op->driver);
        else if (!streq_null(r->override_text, op->driver))
            record_set_text(&r->override_text, NULL);
        r->override = OVERRIDE_MAYBE;
        break;
    case ACTION_SET_PLACEHOLDER:
        return record_offer_set_placeholder(r, op->order);
    case ACTION_UNBIND:
        if (driver_is_vfio(op->driver) || record_is_bound_by_us(r))
            break;
        r->touched = true;
        record_set_text(&r->previous_driver, op->driver);
        break;
    case ACTION_NATIVE:
        if (r->state == RECORD_OPEN)
            record_enter(r, RECORD_HANDING_BACK);
        break;
    case ACTION_SET_VFS:
        return record_vfs_begin(&r->vfs, op->vfs, op->sets_autoprobe);
    default:
        break;
    }
}

static void apply_success(struct record *r, const struct record_operation *op)
{
    r->unseen = 0;
    switch (op->kind) {
    case ACTION_OVERRIDE:
        r->override = OVERRIDE_OURS;
        if (!streq_null(r->override_text, op->driver))
            record_set_text(&r->override_text, op->driver);
        break;
    case ACTION_UNBIND:
        r->binding = BINDING_UNKNOWN;
        r->health = HEALTH_UNTESTED;
        r->told.any = false; /* so that the next binding is logged even if the state is the same (a
                                variant driver) */
        break;
    case ACTION_CLEAR:
        r->override = OVERRIDE_NOT_OURS;
        record_set_text(&r->override_text, NULL);
        break;
    case ACTION_BIND:
        r->binding = BINDING_OURS;
        r->not_before_usec = 0;
        r->attempts = 0;
        if (!record_is_released(r))
            record_enter(r, RECORD_UNVERIFIED); /* until the driver link has been read */
        break;
    case ACTION_NATIVE:
        r->fresh = r->fresh && record_is_released(r); /* an entry may be faster: catch_released() */
        if (r->arrival == ARRIVAL_UNUSED)
            r->arrival = ARRIVAL_PLUGGED;
        r->touched = r->touched || op->asked; /* even if its probe() has failed */
        record_offer_native(r, op->order);
        record_enter(r, record_is_released(r) ? RECORD_RELEASED : RECORD_HANDED_BACK_UNSEEN);
        break;
    case ACTION_CLEAR_PLACEHOLDER:
        return record_offer_clear_placeholder(r);
    case ACTION_OFFER:
        r->offer = OFFER_NONE;
        r->touched = r->touched || op->asked;
        break;
    default: /* CHECK, HOLD, PROBE and SET_PLACEHOLDER leave no trace */
        break;
    }
}

/* Another driver was faster, or the driver has been unregistered meanwhile: the next plan
 * decides. */
static bool is_lost_race(const struct record_operation *op)
{
    return ((op->kind == ACTION_BIND || op->kind == ACTION_NATIVE) && op->result == -EBUSY) ||
           (op->kind == ACTION_UNBIND && (op->result == -ENODEV || op->result == -ENOENT));
}

/* Does the result say only that something could not be seen, for example because the machine is too
 * busy? That is tried again. */
static bool is_unseen(const struct record_operation *op)
{
    return (op->kind == ACTION_CHECK && op->result == -EAGAIN) ||
           (op->kind == ACTION_OFFER && op->result < 0);
}

static void wait_to_see(struct record *r, uint64_t now_usec)
{
    uint64_t delay = UNSEEN_FIRST_USEC << r->unseen;

    if (delay >= UNSEEN_LAST_USEC)
        delay = UNSEEN_LAST_USEC;
    else
        r->unseen++;
    r->not_before_usec = now_usec + delay;
}

static void apply_failure(struct record *r, const struct record_operation *op, uint64_t now_usec)
{
    bool lost_race = is_lost_race(op);
    /* The kernel announces a device before it lets any driver match it (ENODEV). It reads the
     * override after that, and will bind the device itself. EAGAIN means "later": an IOMMU is about
     * to appear. */
    bool early = op->kind == ACTION_BIND &&
                 ((op->result == -ENODEV && record_is_plugged(r)) || op->result == -EAGAIN);

    if (lost_race && op->kind == ACTION_BIND)
        record_confirm(r); /* a bind waits for the device's lock, so no probe() is running */
    if (early)
        r->not_before_usec = now_usec + RECORD_MOMENT_USEC;
    if ((lost_race || early) && !record_count_attempt(r))
        return;
    r->not_before_usec = 0;
    if (is_unseen(op))
        wait_to_see(r, now_usec);
    else
        r->unseen = 0;
    if (op->kind == ACTION_OFFER) /* the device stays handed back; the offer is still due */
        return;
    if (op->kind == ACTION_SET_PLACEHOLDER) { /* nothing was written */
        r->placeholder = false;
        return;
    }
    if (op->kind == ACTION_OVERRIDE && r->override_new) { /* so the override is not ours */
        r->override = OVERRIDE_NOT_OURS;
        record_set_text(&r->override_text, NULL);
    }
    if (op->kind == ACTION_HOLD) /* nothing was done; see RECORD_EVENT_GROUP_KEPT */
        return;
    if (op->kind == ACTION_CHECK) { /* the device stays with its driver */
        record_set_text(&r->holder, op->found);
        if (!r->unnamed && !record_is_released(r)) /* it was not bound after all */
            record_set_text(&r->previous_driver, NULL);
    }
    record_fail(r, -op->result, op->kind);
}

/* Somebody has the group, or it could not be opened. Nothing was unbound, and there is no new
 * attempt until somebody asks for it. A device that was to be released stays as it is, which is not
 * a failure. */
static void apply_group_kept(struct record *r, const struct record_operation *op)
{
    record_set_text(&r->holder, op->found);
    if (record_is_released(r)) {
        record_enter(r, RECORD_OPEN);
        r->hold_error = -op->result;
    } else {
        record_fail(r, -op->result, ACTION_HOLD);
    }
    r->fresh = false;
}

/* The worker died before this operation. After some attempts that counts as a failure. */
static void apply_death(struct record *r, const struct record_operation *op)
{
    if (record_count_attempt(r))
        record_fail(r, EIO, op->kind);
}

/* Is the operation not about the device's own binding? */
static bool is_beside_binding(enum action_kind kind)
{
    return kind == ACTION_TEST || kind == ACTION_RESET_METHOD || kind == ACTION_SET_VFS ||
           kind == ACTION_RESTORE_AUTOPROBE;
}

static void apply_beside_binding(struct record *r, const struct record_operation *op, bool died,
                                 uint64_t now_usec)
{
    const int result = died ? -EIO : op->result;

    if (op->kind == ACTION_TEST) /* a worker that dies says nothing about the device */
        return record_health_test(r, died ? 0 : result, now_usec);
    if (op->kind == ACTION_RESET_METHOD)
        return record_health_reset_method(r, op->driver, -result);
    record_set_text(&r->holder, op->found);
    r->told.any = false; /* so that a new number is logged */
    if (op->kind == ACTION_SET_VFS)
        return record_vfs_end(&r->vfs, op->vfs, result);
    record_vfs_autoprobe_restored(&r->vfs, result);
}

void record_operation_ended(struct record *r, const struct record_operation *op,
                            enum record_outcome outcome, uint64_t now_usec)
{
    if (record_is_replaced(r)) /* the worker's result is about the device that was there before */
        return;
    if (is_beside_binding(op->kind))
        apply_beside_binding(r, op, outcome == OUTCOME_DIED, now_usec);
    else if (outcome == OUTCOME_GROUP_KEPT)
        apply_group_kept(r, op);
    else if (outcome == OUTCOME_DIED)
        apply_death(r, op);
    else if (op->result < 0)
        apply_failure(r, op, now_usec);
    else
        apply_success(r, op);
}
