/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a physical function: what it makes of its virtual functions. */
#include "transitions.h"

#define MADE(...)                                     \
    {                                                 \
        .made = 2, .autoprobe_off = true, __VA_ARGS__ \
    }

static const struct device with_two = {.detailed = true, .driver = "i40e", .n_vfs = 2},
                           with_three = {.detailed = true, .driver = "i40e", .n_vfs = 3};
static const struct device with_none = {.detailed = true, .driver = "i40e"},
                           without_driver = {.detailed = true};

START_TEST(making)
{
    static const struct transition table[] = {
        {"a worker begins",
         {.work = WORK_RUNNING},
         EVENT(BEGINS, .op = {.kind = ACTION_SET_VFS, .vfs = 2, .sets_autoprobe = true}),
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true)}},
        {"it fails",
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true)},
         EVENT(DONE, .op = {.kind = ACTION_SET_VFS, .vfs = 2, .result = -ENOSPC}),
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true, .error = ENOSPC)}},
        {"there were more than the plan knew: it did nothing, and may be tried again",
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true, .made_before = 2)},
         EVENT(DONE, .op = {.kind = ACTION_SET_VFS, .vfs = 2, .result = -ESTALE}),
         {.work = WORK_RUNNING, .vfs = MADE()}},
        {"there were none, and somebody else was faster: those are not ours",
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true)},
         EVENT(DONE, .op = {.kind = ACTION_SET_VFS, .vfs = 2, .result = -ESTALE}),
         {.work = WORK_RUNNING, .vfs = {.autoprobe_off = true}}},
        {"somebody else has replaced them by fewer",
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true, .made_before = 2)},
         EVENT(DONE, .op = {.kind = ACTION_SET_VFS, .vfs = 4, .result = -EEXIST}),
         {.work = WORK_RUNNING, .vfs = {.autoprobe_off = true}}},
        {"they are taken away: if there are any now, they are somebody else's",
         {.work = WORK_RUNNING, .vfs = MADE(.tried = true, .made_before = 2)},
         EVENT(DONE, .op = {.kind = ACTION_SET_VFS, .vfs = 0, .result = 0}),
         {.work = WORK_RUNNING, .vfs = {.tried = true}}},
        {"somebody takes them away", /* and no more are made */
         {.vfs = MADE(.tried = true)},
         EVENT(LOOKED, .device = &with_none),
         {.vfs = {.autoprobe_off = true, .tried = true}}},
    };

    RUN(table);
}
END_TEST

/* They are ours until their number changes without us. */
START_TEST(seeing)
{
    static const struct transition table[] = {
        {"the kernel has made fewer",
         {.vfs = {.made = 4, .tried = true}},
         EVENT(LOOKED, .device = &with_two),
         {.binding = BINDING_UNKNOWN, .vfs = {.made = 2, .tried = true}}},
        {"a failed change has left the earlier number, or an earlier run was killed during it",
         {.vfs = {.made = 4, .tried = true, .error = EBUSY}},
         EVENT(LOOKED, .device = &with_two),
         {.vfs = {.made = 4, .tried = true, .error = EBUSY}}},
        {"somebody else has replaced them by fewer",
         {.vfs = {.made = 4, .tried = true, .exact = true}},
         EVENT(LOOKED, .device = &with_two),
         {.vfs = {.tried = true}}},
        {"somebody else has replaced them by more",
         {.vfs = {.made = 2, .exact = true}},
         EVENT(LOOKED, .device = &with_three),
         {.vfs = {0}}},
    };

    RUN(table);
}
END_TEST

/* The number is known once it was seen, also after a restart. */
START_TEST(seen_before)
{
    struct record r = {.vfs = {.made = 3}};
    const struct record_event three = EVENT(LOOKED, .device = &with_three),
                              two = EVENT(LOOKED, .device = &with_two);

    record_apply(&r, &three);
    ck_assert_uint_eq(r.vfs.made, 3);
    record_apply(&r, &two);
    ck_assert_uint_eq(r.vfs.made, 0);
    record_done(&r);
}
END_TEST

/* The kernel shows a driver before it says so, and the event may come when they were made, and
 * taken away by somebody else, who would get them back. */
START_TEST(a_driver_comes)
{
    static const struct transition table[] = {
        {"the event is late",
         {.vfs = {.autoprobe_off = true, .tried = true}},
         EVENT(BOUND, .device = &with_none),
         {.binding = BINDING_FOUND, .vfs = {.autoprobe_off = true, .tried = true}}},
        {"it failed before",
         {.vfs = MADE(.tried = true, .error = ENOENT, .restore_failed = true)},
         EVENT(BOUND, .device = &with_none),
         {.binding = BINDING_FOUND, .vfs = MADE()}},
        {"it had gone before",
         {.vfs = MADE(.tried = true)},
         EVENT(UNBOUND, .device = &without_driver),
         {.not_before_usec = SOON, .vfs = MADE()}},
    };

    RUN(table);
}
END_TEST

UNIT_MAIN("record-vfs", making, seeing, seen_before, a_driver_comes)
