/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the operations of a worker leave behind in the record of a device. For record-event.c; for
 * nobody else. Pure. */
#pragma once

#include "model/record.h"

struct record_operation {
    enum action_kind kind;
    int result;         /* 0 or negative errno */
    const char *driver; /* as in struct action; "" for none */
    const char *found;  /* who has the device, in words, or "" */
    unsigned vfs;       /* ACTION_SET_VFS: as in struct action, and the next as well */
    bool sets_autoprobe;
    uint64_t order; /* ACTION_SET_PLACEHOLDER, ACTION_NATIVE: drivers up to this order were
                     * registered when the job was made */
    bool asked;     /* ACTION_NATIVE: a native driver was asked */
};

/* Records before it what must be known if we crash in the middle of it. */
void record_operation_begins(struct record *r, const struct record_operation *op);

enum record_outcome {
    OUTCOME_RESULT,     /* it has a result */
    OUTCOME_GROUP_KEPT, /* its group could not be held, so nothing was done: .result says why */
    OUTCOME_DIED,       /* the worker died before it */
};

void record_operation_ended(struct record *r, const struct record_operation *op,
                            enum record_outcome outcome, uint64_t now_usec);
