/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a record's state. Only record-event.c and record-operation.c use this, since they know
 * when. Pure. */
#pragma once

#include "model/record.h"

/* Except for the record of a device that is gone, only these two functions change the state, so
 * that an error is kept exactly as long as its failure. `error` is an errno. */
void record_enter(struct record *r, enum record_state state);
void record_fail(struct record *r, int error, enum action_kind at);

/* Counts a failure that was nobody's fault. Returns whether there is to be no further attempt. */
bool record_count_attempt(struct record *r);

/* The probe() of its driver has ended. */
void record_confirm(struct record *r);

/* Replaces a text of the record by a copy; NULL and "" become NULL. */
void record_set_text(char **text, const char *new);
