/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The effect of a worker's operations on the record of a device. Only record-event.c uses this.
 * Pure. */
#pragma once

#include "model/record.h"

struct record_operation {
    enum action_kind kind;
    int result;         /* 0 or negative errno */
    const char *driver; /* as in struct action; "" for none */
    const char *found;  /* a description of the process that has the device, or "" */
    unsigned vfs;       /* ACTION_SET_VFS: as in struct action, like the next one */
    bool sets_autoprobe;
    uint64_t order; /* ACTION_SET_PLACEHOLDER, ACTION_NATIVE: drivers up to this order were
                     * registered when the job was made */
    bool asked;     /* ACTION_NATIVE: a native driver was asked */
};

/* Records before an operation what must be known after a crash in the middle of it. */
void record_operation_begins(struct record *r, const struct record_operation *op);

enum record_outcome {
    OUTCOME_RESULT,     /* it has a result */
    OUTCOME_GROUP_KEPT, /* its group could not be held, so nothing was done: .result says why */
    OUTCOME_DIED,       /* the worker died before it */
};

void record_operation_ended(struct record *r, const struct record_operation *op,
                            enum record_outcome outcome, uint64_t now_usec);
