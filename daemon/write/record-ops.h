/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes events for the records (lib/model/record-event.h) from the operations of workers, and
 * records the state of dynamic IDs. */
#pragma once

#include "model/records.h"
#include "write/worker.h"

/* Records what is about to be done, as far as it must be known after a crash in the middle of it.
 * Returns true if the records must first be saved in /run (record-file.h). */
bool record_ops_begin(struct records *records, const struct op *ops, size_t n);

/* Records that the write of an entry hangs. The entry is in effect nevertheless: the kernel adds it
 * to the table before it looks for devices. */
void record_ops_hanging_entry(struct records *records, const struct op *op);

/* Records the result of an operation. If the operation was not done, or was skipped, this says
 * nothing about its device. `found`: worker_found(). */
void record_ops_result(struct records *records, const struct op *op, const char *found);

/* Records that the worker died before this operation. It must not be tried for ever. */
void record_ops_death(struct records *records, const struct op *op);

/* If a job's ACTION_HOLD failed, somebody has the group open: none of its devices is tried again
 * until a caller requests that. */
void record_ops_give_up_group(struct records *records, const struct op *ops, size_t n,
                              const char *found);
