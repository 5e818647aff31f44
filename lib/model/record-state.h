/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a record changes its state. For record-event.c and record-operation.c, which know when; for
 * nobody else. Pure. */
#pragma once

#include "model/record.h"

/* Apart from the record of a device that is gone, only these two change the state, so that an error
 * is kept exactly as long as its failure. `error` is an errno. */
void record_enter(struct record *r, enum record_state state);
void record_fail(struct record *r, int error, enum action_kind at);

/* Counts an attempt that failed by nobody's fault. Returns whether it is not to be tried again. */
bool record_was_last_attempt(struct record *r);

/* Its driver's probe() is over. */
void record_confirm(struct record *r);

/* Replaces a text of the record by a copy; NULL or "": by NULL. */
void record_set_text(char **text, const char *new);
