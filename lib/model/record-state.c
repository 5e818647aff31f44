/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record-state.h"

#include "base/util.h"

#define ATTEMPTS_MAX 5 /* failed attempts in a row before we give up */

void record_set_text(char **text, const char *new)
{
    char *copy = new &&*new ? strdup(new) : NULL;

    free(*text);
    *text = copy;
}

void record_enter(struct record *r, enum record_state state)
{
    r->state = state;
    r->error = r->hold_error = 0;
}

void record_fail(struct record *r, int error, enum action_kind at)
{
    r->state = record_is_released(r) ? RECORD_RELEASE_FAILED : RECORD_FAILED;
    r->error = error;
    r->failed_at = at;
}

bool record_count_attempt(struct record *r)
{
    return ++r->attempts >= ATTEMPTS_MAX;
}

void record_confirm(struct record *r)
{
    r->binding = record_is_bound_by_us(r) ? BINDING_OURS : BINDING_FOUND;
}
