/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "results.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "journal.h"

#define ATTEMPTS_MAX 5 /* how often another driver may be faster before we give up */

static void note_holder(struct record *r, const char *found)
{
    free(r->holder);
    r->holder = *found ? strdup(found) : NULL;
}

static void note_failure(struct record *r, const struct op *op, const char *found)
{
    /* Another driver was there first, or has gone meanwhile: the next plan knows what to do. */
    bool raced = (op->kind == ACTION_BIND && op->result == -EBUSY) ||
                 (op->kind == ACTION_UNBIND && (op->result == -ENODEV || op->result == -ENOENT));

    /* It tells of a device before it lets any driver match: the override is read after that. Its
     * "later" (EAGAIN) is for an IOMMU that is about to be there. */
    r->early = op->kind == ACTION_BIND &&
               ((op->result == -ENODEV && r->hotplugged) || op->result == -EAGAIN);
    if (raced && op->kind == ACTION_BIND)
        r->confirmed = true; /* bind waits for the device's lock, so no probe() is under way */
    if ((raced || r->early) && ++r->lost < ATTEMPTS_MAX)
        return;
    r->early = false;
    if (op->kind == ACTION_PARK) { /* nothing was written */
        r->parked = false;
        return;
    }
    if (op->kind == ACTION_CHECK) { /* it stays where it is */
        note_holder(r, found);
        free(r->previous_driver);
        r->previous_driver = NULL;
    }
    if (op->kind == ACTION_HOLD) /* nothing was done; see results_give_up_group() */
        return;
    r->error = -op->result;
    r->failed_at = op->kind;
}

static void note_success(struct record *r, const struct op *op)
{
    switch (op->kind) {
    case ACTION_OVERRIDE:
        r->overridden = true;
        break;
    case ACTION_UNBIND: /* noted when it was begun */
        r->confirmed = false;
        r->logged_state = -1; /* who has it next is news, be the state the same: a variant driver */
        break;
    case ACTION_CLEAR:
        r->overridden = r->ours = false;
        break;
    case ACTION_BIND:
        r->early = false;
        r->confirmed = true;
        r->unverified = true; /* until the driver link has been read: see the manager */
        r->lost = 0;
        break;
    case ACTION_NATIVE:
        r->handed_back = true;
        r->fresh = false;
        break;
    case ACTION_UNPARK:
        r->parked = false;
        break;
    case ACTION_PROBE:
    case ACTION_CHECK:
    case ACTION_PARK:
    case ACTION_HOLD:
    default: /* entries of the fence: see note_entry() */
        break;
    }
}

/* -- entries of the fence -- */

bool results_begin(struct records *records, const struct op *ops, size_t n)
{
    bool keep = false;

    for (size_t i = 0; i < n; i++) {
        struct record *r = action_is_fence(ops[i].kind) ? NULL : records_get(records, ops[i].addr);
        struct fence_id id;
        if (r && ops[i].kind == ACTION_PARK)
            keep = r->parked = true;
        /* A device that was just plugged in does not wait for a file: every microsecond counts. */
        if (r && ops[i].kind == ACTION_OVERRIDE) {
            keep = keep || (!r->ours && !r->hotplugged);
            r->ours = true;
        }
        if (ops[i].kind == ACTION_REMOVE_ID && fence_parse(ops[i].driver, &id)) {
            fence_begin_removal(&records->fence, &id);
            keep = true;
        }
        if (ops[i].kind == ACTION_NEW_ID && fence_parse(ops[i].driver, &id)) {
            struct fence_entry *e = fence_begin(&records->fence, &id);
            if (!e)
                continue;
            e->companion = ops[i].companion;
            e->narrowed = ops[i].narrowed;
            keep = true;
        }
        if (action_is_fence(ops[i].kind))
            records->fence.in_flight = true;
    }
    return keep;
}

/* What is neither in the table nor worth remembering. */
static bool is_forgettable(const struct fence_entry *e)
{
    return e->state == FENCE_OPEN && e->error == 0 && !e->companion;
}

/* A write that was skipped would be skipped again. */
static int error_of(const struct op *op)
{
    return op->result < 0 ? (op->result == OP_SKIPPED ? EIO : -op->result) : 0;
}

static void note_removal(struct fence_entry *e, const struct op *op)
{
    fence_end_removal(e, error_of(op));
    if (op->result < 0 && op->result != OP_SKIPPED)
        journal_plain(
            LOG_WARNING,
            "vfio-pci does not let go of %s in its table (%s): what is plugged in as that "
            "goes to it as before; \"systemctl reload vfio-bindd\" tries again",
            fence_words(&e->id).s, strerror(e->error));
}

static void note_new_entry(struct fence *f, struct fence_entry *e, const struct op *op)
{
    if (op->result == OP_SKIPPED && e->error != 0)
        return; /* it could not be removed, so it is still there */
    fence_end(f, e, error_of(op));
    if (op->result < 0)
        journal_plain(
            LOG_WARNING,
            "vfio-pci does not take %s into its table (%s): a native driver may be faster "
            "when such a device is plugged in",
            fence_words(&e->id).s, strerror(e->error));
}

static void note_entry(struct records *records, const struct op *op)
{
    struct fence_id id;
    struct fence_entry *e = NULL;

    records->fence.in_flight = false;
    if (fence_parse(op->driver, &id)) /* one that was removed just before is not on record now */
        e = op->kind == ACTION_NEW_ID ? fence_get(&records->fence, &id)
                                      : fence_find(&records->fence, &id);
    if (!e)
        return;
    if (op->kind == ACTION_NEW_ID) {
        e->companion = op->companion;
        e->narrowed = op->narrowed;
    }
    if (op->result == OP_NOT_DONE) { /* or it was, and the worker died before it could say so */
        e->state = FENCE_BEGUN;
        return;
    }
    if (op->result == 0)
        records->fence.lost = 0;
    if (op->kind == ACTION_NEW_ID)
        note_new_entry(&records->fence, e, op);
    else
        note_removal(e, op);
    if (is_forgettable(e))
        fence_drop(&records->fence, &id);
}

void results_hanging_entry(struct records *records, const struct op *op)
{
    struct fence_id id;
    struct fence_entry *e = fence_parse(op->driver, &id) ? fence_find(&records->fence, &id) : NULL;

    records->fence.in_flight = false; /* the next entry does not wait for this write */
    if (e && op->kind == ACTION_NEW_ID)
        fence_end(&records->fence, e, 0);
}

/* -- all -- */

void results_note(struct records *records, const struct op *op, const char *found)
{
    struct record *r = action_is_fence(op->kind) ? NULL : records_find(records, op->addr);

    if (action_is_fence(op->kind))
        note_entry(records, op);

    if (op->result == OP_NOT_DONE || op->result == OP_SKIPPED)
        return;
    journal_plain(LOG_DEBUG, "%s: %s %s: %s",
                  action_is_fence(op->kind) ? FENCE_DRIVER : pci_addr_text(op->addr).s,
                  action_word(op->kind), op->driver,
                  op->result < 0 ? strerror(-op->result) : "done");
    if (!r || r->replaced)
        return;
    if (op->result < 0)
        note_failure(r, op, found);
    else
        note_success(r, op);
}

/* Somebody has the group: nothing was unbound, and nobody is to try again by itself. */
void results_give_up_group(struct records *records, const struct op *ops, size_t n,
                           const char *found)
{
    if (n == 0 || ops[0].kind != ACTION_HOLD || ops[0].result >= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct record *r = records_find(records, ops[i].addr);
        if (!r || r->replaced) /* it was about the card that was there before */
            continue;
        note_holder(r, found);
        if (!r->released) {
            r->error = -ops[0].result;
            r->failed_at = ACTION_HOLD;
        }
        r->released = r->fresh = false;
    }
}

static void note_lost_entry(struct fence *f, const struct op *op)
{
    struct fence_id id;

    if (++f->lost < ATTEMPTS_MAX || !fence_parse(op->driver, &id))
        return;
    struct fence_entry *e = fence_get(f, &id);
    if (e)
        e->error = EIO;
}

/* A worker that dies before it has done anything must not be started for the same for ever. */
void results_note_death(struct records *records, const struct op *op)
{
    struct record *r = action_is_fence(op->kind) ? NULL : records_find(records, op->addr);

    if (op->result != OP_NOT_DONE)
        return;
    if (action_is_fence(op->kind))
        note_lost_entry(&records->fence, op);
    if (!r || r->replaced || ++r->lost < ATTEMPTS_MAX)
        return;
    r->error = EIO;
    r->failed_at = op->kind;
}
