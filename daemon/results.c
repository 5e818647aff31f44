/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "results.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "journal.h"

#define ATTEMPTS_MAX 5 /* how often another driver may be faster before we give up */

static void note_failure(struct record *r, const struct op *op)
{
    /* Another driver was there first, or has gone meanwhile: the next plan knows what to do. */
    bool raced = (op->kind == ACTION_BIND && op->result == -EBUSY) ||
                 (op->kind == ACTION_UNBIND && (op->result == -ENODEV || op->result == -ENOENT));

    if (raced && op->kind == ACTION_BIND)
        r->confirmed = true; /* bind waits for the device's lock, so no probe() is under way */
    if (raced && ++r->lost < ATTEMPTS_MAX)
        return;
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
        break;
    case ACTION_CLEAR:
        r->overridden = false;
        break;
    case ACTION_BIND:
        r->confirmed = true;
        r->unverified = true; /* until the driver link has been read: see the manager */
        r->lost = 0;
        break;
    case ACTION_PROBE:
        r->handed_back = true;
        break;
    case ACTION_HOLD:
    case ACTION_MAX:
        break;
    }
}

void results_note(struct records *records, const struct op *op)
{
    struct record *r = records_find(records, op->addr);

    if (op->result == OP_NOT_DONE || op->result == OP_SKIPPED)
        return;
    journal_plain(LOG_DEBUG, "%s: %s %s: %s", pci_addr_text(op->addr).s, action_word(op->kind),
                  op->driver, op->result < 0 ? strerror(-op->result) : "done");
    if (!r || r->replaced)
        return;
    if (op->result < 0)
        note_failure(r, op);
    else
        note_success(r, op);
}

/* Somebody has the group: nothing was unbound, and nobody is to try again by itself. */
void results_give_up_group(struct records *records, const struct op *ops, size_t n)
{
    if (n == 0 || ops[0].kind != ACTION_HOLD || ops[0].result >= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct record *r = records_find(records, ops[i].addr);
        if (!r)
            continue;
        if (!r->released) {
            r->error = -ops[0].result;
            r->failed_at = ACTION_HOLD;
        }
        r->released = false;
    }
}

/* A worker that dies before it has done anything must not be started for the same for ever. */
void results_note_death(struct records *records, const struct op *op)
{
    struct record *r = records_find(records, op->addr);

    if (!r || r->replaced || op->result != OP_NOT_DONE || ++r->lost < ATTEMPTS_MAX)
        return;
    r->error = EIO;
    r->failed_at = op->kind;
}
