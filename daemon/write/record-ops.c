/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/record-ops.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "base/clock.h"
#include "tell/journal.h"

/* How many workers in a row may die at writing entries before we give up. */
#define ATTEMPTS_MAX 5

/* -- devices -- */

static struct record_event work_event(enum record_event_kind kind, const struct op *op,
                                      const char *found)
{
    return (struct record_event){.kind = kind,
                                 .now_usec = now_usec(),
                                 .op = {.kind = op->kind,
                                        .result = op->result,
                                        .driver = op->driver,
                                        .vfs = op->vfs,
                                        .sets_autoprobe = op->sets_autoprobe,
                                        .found = found,
                                        .order = op->order,
                                        .asked = op->asked}};
}

static void tell_result(struct records *records, enum record_event_kind kind, const struct op *op,
                        const char *found)
{
    const struct record_event e = work_event(kind, op, found);

    if (!action_is_dynid(op->kind))
        records_apply(records, op->addr, &e);
}

/* Records that the operation begins. Returns whether that must first be saved in /run. A device
 * that was just plugged in does not wait for a file, since every microsecond counts. */
static bool begin_device(struct records *records, const struct op *op)
{
    struct record *r = records_get(records, op->addr);

    if (!r)
        return false;
    bool owned = record_may_be_overridden(r);
    const struct record_event e = work_event(RECORD_EVENT_BEGINS, op, "");
    record_apply(r, &e);
    return op->kind == ACTION_SET_PLACEHOLDER ||
           (op->kind == ACTION_OVERRIDE && !owned && !record_is_plugged(r));
}

/* -- dynamic IDs -- */

static bool begin_entry(struct dynids *f, const struct op *op)
{
    struct dynid id;
    struct dynid_entry *e;

    f->in_flight = true;
    if (!dynid_parse(op->driver, &id))
        return false;
    if (op->kind == ACTION_REMOVE_ID) {
        dynids_begin_removal(f, &id);
        return true;
    }
    e = dynids_begin(f, &id);
    if (!e)
        return false;
    e->learned = op->learned;
    e->narrowed = op->narrowed;
    return true;
}

bool record_ops_begin(struct records *records, const struct op *ops, size_t n)
{
    bool keep = false;

    for (size_t i = 0; i < n; i++)
        keep |= action_is_dynid(ops[i].kind) ? begin_entry(&records->dynids, &ops[i])
                                             : begin_device(records, &ops[i]);
    return keep;
}

/* Is the entry neither in the table nor worth remembering? */
static bool is_forgettable(const struct dynid_entry *e)
{
    return e->state == DYNID_OPEN && e->error == 0 && !e->learned;
}

/* A write that was skipped counts as failed; otherwise it would be tried and skipped for ever. */
static int error_of(const struct op *op)
{
    return op->result < 0 ? (op->result == OP_SKIPPED ? EIO : -op->result) : 0;
}

static void record_removal(struct dynid_entry *e, const struct op *op)
{
    dynids_end_removal(e, error_of(op));
    if (op->result < 0 && op->result != OP_SKIPPED)
        journal_plain(LOG_WARNING,
                      "vfio-pci did not remove %s from its table (%s), so devices plugged in as "
                      "that still go to it; to try again, run \"systemctl reload vfio-bindd\"",
                      dynid_words(&e->id).s, strerror(e->error));
}

static void record_new_entry(struct dynids *f, struct dynid_entry *e, const struct op *op)
{
    if (op->result == OP_SKIPPED && e->error != 0)
        return; /* it could not be removed, so it is still there */
    dynids_end(f, e, error_of(op));
    if (op->result < 0)
        journal_plain(LOG_WARNING,
                      "vfio-pci did not accept %s into its table (%s): when such a device is "
                      "plugged in, a native driver may be faster",
                      dynid_words(&e->id).s, strerror(e->error));
}

static void record_entry(struct records *records, const struct op *op)
{
    struct dynid id;
    struct dynid_entry *e = NULL;

    records->dynids.in_flight = false;
    if (dynid_parse(op->driver,
                    &id)) /* an entry that was removed just before has no record any more */
        e = op->kind == ACTION_NEW_ID ? dynids_get(&records->dynids, &id)
                                      : dynids_find(&records->dynids, &id);
    if (!e)
        return;
    if (op->kind == ACTION_NEW_ID) {
        e->learned = op->learned;
        e->narrowed = op->narrowed;
    }
    if (op->result ==
        OP_NOT_DONE) { /* or it was done, and the worker died before it could report that */
        e->state = DYNID_BEGUN;
        return;
    }
    if (op->result == 0)
        records->dynids.lost = 0;
    if (op->kind == ACTION_NEW_ID)
        record_new_entry(&records->dynids, e, op);
    else
        record_removal(e, op);
    if (is_forgettable(e))
        dynids_drop(&records->dynids, &id);
}

void record_ops_hanging_entry(struct records *records, const struct op *op)
{
    struct dynid id;
    struct dynid_entry *e =
        dynid_parse(op->driver, &id) ? dynids_find(&records->dynids, &id) : NULL;

    records->dynids.in_flight = false; /* the next entry does not wait for this write */
    if (e && op->kind == ACTION_NEW_ID)
        dynids_end(&records->dynids, e, 0);
}

/* -- all -- */

void record_ops_result(struct records *records, const struct op *op, const char *found)
{
    if (action_is_dynid(op->kind))
        record_entry(records, op);
    if (op->result == OP_NOT_DONE || op->result == OP_SKIPPED)
        return;
    journal_plain(LOG_DEBUG, "%s: %s %s: %s",
                  action_is_dynid(op->kind) ? DYNID_DRIVER : pci_addr_text(op->addr).s,
                  action_word(op->kind), op->driver,
                  op->result < 0 ? strerror(-op->result) : "done");
    tell_result(records, RECORD_EVENT_DONE, op, found);
}

void record_ops_give_up_group(struct records *records, const struct op *ops, size_t n,
                              const char *found)
{
    if (n == 0 || ops[0].kind != ACTION_HOLD || ops[0].result >= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct op kept = ops[i];
        bool again = false;
        for (size_t k = 0; k < i && !again; k++) /* a device has several operations */
            again = pci_addr_cmp(ops[k].addr, kept.addr) == 0;
        kept.result = ops[0].result;
        if (!again)
            tell_result(records, RECORD_EVENT_GROUP_KEPT, &kept, found);
    }
}

static void record_lost_entry(struct dynids *f, const struct op *op)
{
    struct dynid id;

    if (++f->lost < ATTEMPTS_MAX || !dynid_parse(op->driver, &id))
        return;
    struct dynid_entry *e = dynids_get(f, &id);
    if (e)
        e->error = EIO;
}

void record_ops_death(struct records *records, const struct op *op)
{
    if (op->result != OP_NOT_DONE)
        return;
    if (action_is_dynid(op->kind))
        record_lost_entry(&records->dynids, op);
    tell_result(records, RECORD_EVENT_DIED, op, "");
}
