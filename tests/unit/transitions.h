/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of what an event makes of the memory of a device. */
#pragma once

#include "unit.h"

#include <errno.h>

#include "model/records.h"

#define NOW (1000 * USEC_PER_SEC)
#define SOON (NOW + RECORD_MOMENT_USEC)

#define REFUSED                                             \
    {                                                       \
        .refused = true, .vendor = 0x8086, .device = 0x10d3 \
    }
#define EVENT(k, ...)                                          \
    {                                                          \
        .kind = RECORD_EVENT_##k, .now_usec = NOW, __VA_ARGS__ \
    }
#define OP(k, r, d) .op = {.kind = ACTION_##k, .result = (r), .driver = (d), .found = qemu}
#define ORDERED(k) .op = {.kind = ACTION_##k, .driver = "", .found = "", .order = 9}
#define VERDICT(s, r) .verdict = {STATE_##s, REASON_##r, "vfio-pci", false}
#define FAILED_OF(e, k) .error = (e), .failed_at = ACTION_##k

struct transition {
    const char *what;
    struct record before;
    struct record_event event;
    struct record after;
};

/* -- comparing -- */

static inline void copy_texts(struct record *r)
{
    r->override_text = r->override_text ? strdup(r->override_text) : NULL;
    r->previous_driver = r->previous_driver ? strdup(r->previous_driver) : NULL;
    r->holder = r->holder ? strdup(r->holder) : NULL;
    r->reset_method = r->reset_method ? strdup(r->reset_method) : NULL;
}

#define SAME(field)                                                               \
    ck_assert_msg(a->field == b->field, "%s: %s is %lld, not %lld", what, #field, \
                  (long long)a->field, (long long)b->field)
#define SAME_TEXT(field)                                                                          \
    ck_assert_msg(streq_null(a->field, b->field), "%s: %s is %s, not %s", what, #field, a->field, \
                  b->field)

static inline void compare(const char *what, const struct record *a, const struct record *b)
{
    SAME(state);
    SAME(work);
    SAME(arrival);
    SAME(override);
    SAME(binding);
    SAME(placeholder);
    SAME(offer);
    SAME(offered_to);
    SAME(fresh);
    SAME(touched);
    SAME(unnamed);
    SAME(error);
    SAME(hold_error);
    SAME(attempts);
    SAME(flaps);
    SAME(flap_usec);
    SAME(not_before_usec);
    SAME(seen_usec);
    SAME(bound_usec);
    SAME(past.refused);
    SAME(past.had_driver);
    SAME(past.released);
    SAME(past.device);
    SAME(vfs.made);
    SAME(vfs.autoprobe_off);
    SAME(vfs.tried);
    SAME(vfs.restore_failed);
    SAME(vfs.released);
    SAME(vfs.error);
    SAME(told.any);
    SAME(told.state);
    SAME(told.reason);
    SAME_TEXT(override_text);
    SAME_TEXT(previous_driver);
    SAME_TEXT(holder);
    SAME_TEXT(reset_method);
    if (a->error)
        SAME(failed_at);
}

static inline void run(const struct transition *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct record r = t[i].before;
        copy_texts(&r);
        record_apply(&r, &t[i].event);
        compare(t[i].what, &r, &t[i].after);
        record_done(&r);
    }
}

#define RUN(table) run(table, ELEMENTS(table))
