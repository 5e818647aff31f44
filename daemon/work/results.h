/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes events for the records (lib/model/record.h) of what workers do; what becomes of the fence's
 * entries is noted here. */
#pragma once

#include "model/records.h"
#include "work/worker.h"

/* Notes what is about to be done, as far as a crash in the middle must not forget it. Returns true
 * if there is something that must be kept first (held.h). */
bool results_begin(struct records *records, const struct op *ops, size_t n);

/* Notes that an entry's write did not return in time: its entry is at work all the same, for the
 * kernel adds it to the table before it looks for devices. */
void results_hanging_entry(struct records *records, const struct op *op);

/* Notes one operation's result; one that was not done or was skipped says nothing of a device.
 * `found`: worker_found(). */
void results_note(struct records *records, const struct op *op, const char *found);

/* The worker has died before it did this operation: not to be tried for ever. */
void results_note_death(struct records *records, const struct op *op);

/* If a job's ACTION_HOLD failed, somebody has the group open: none of its devices is tried again by
 * itself. */
void results_give_up_group(struct records *records, const struct op *ops, size_t n,
                           const char *found);
