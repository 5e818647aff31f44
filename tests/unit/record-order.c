/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a device: every event in every state, and any of them in any order. */
#include "transitions.h"

static const struct device without_driver = {.vendor = 0x8086, .device = 0x10d3},
                           on_nvidia = {.vendor = 0x10de, .driver = "nvidia"},
                           on_vfio = {.vendor = 0x8086, .device = 0x10d3, .driver = "vfio-pci"},
                           another = {.vendor = 0x8086, .device = 0x1572};

/* -- in any order -- */

/* What must hold of any record, before and after any event. */
static void check_sound(const struct record *before, const struct record_event *e,
                        const struct record *r)
{
    bool has_error = r->state == RECORD_FAILED || r->state == RECORD_RELEASE_FAILED;
    bool goes = e->kind == RECORD_EVENT_DISAPPEARED || e->kind == RECORD_EVENT_APPEARED;
    bool is_work = e->kind == RECORD_EVENT_CLAIMED || e->kind == RECORD_EVENT_HANGS ||
                   e->kind == RECORD_EVENT_RETURNED;
    bool unreleases = goes || e->kind == RECORD_EVENT_BIND || e->kind == RECORD_EVENT_RELOAD ||
                      e->kind == RECORD_EVENT_UNNAMED || e->kind == RECORD_EVENT_GROUP_KEPT;

    ck_assert_msg(r->state <= RECORD_GONE && r->work <= WORK_STUCK_FOR_ANOTHER, "%d", e->kind);
    ck_assert_msg((r->error != 0) == has_error, "event %d, state %d", e->kind, r->state);
    if (!unreleases)
        ck_assert_msg(!record_is_released(before) || record_is_released(r), "event %d unreleases",
                      e->kind);
    if (!is_work)
        ck_assert_msg(record_is_in_hand(before) == record_is_in_hand(r), "event %d", e->kind);
    if (before->state == RECORD_GONE && !goes && e->kind != RECORD_EVENT_LOOKED &&
        e->kind != RECORD_EVENT_JUDGED)
        ck_assert_msg(r->state == RECORD_GONE, "event %d brings it back", e->kind);
    if (e->kind != RECORD_EVENT_APPEARED && e->kind != RECORD_EVENT_JUDGED &&
        e->kind != RECORD_EVENT_UNNAMED)
        ck_assert_msg(before->past.refused == r->past.refused, "event %d", e->kind);
    if (r->state == RECORD_GONE)
        ck_assert(!record_is_owned(r) && !r->override_text && !r->previous_driver && !r->holder);
}

static struct record_event some_event(unsigned kind, unsigned variation)
{
    static const struct device *const devices[] = {&without_driver, &on_nvidia, &on_vfio, &another};
    static const int results[] = {0, -EBUSY, -ENODEV, -EIO, -ENOENT};
    static const char *const drivers[] = {"vfio-pci", "nvidia", "mlx5_vfio_pci"};
    struct record_event e = {.kind = kind, .now_usec = NOW + variation};

    e.device = devices[variation % ELEMENTS(devices)];
    e.unused = variation & 1;
    e.has_dynid = variation & 2;
    e.verdict.state = variation % STATE_MAX;
    e.verdict.reason = variation % REASON_MAX;
    e.verdict.driver = "vfio-pci";
    e.op.kind = variation % ACTION_MAX;
    e.op.result = results[variation % ELEMENTS(results)];
    e.op.driver = drivers[variation % ELEMENTS(drivers)];
    e.op.found = variation & 4 ? "qemu" : "";
    if (kind == RECORD_EVENT_GROUP_KEPT)
        e.op.result = -EBUSY;
    return e;
}

/* Whether what the worker did to one that is gone says anything of it depends on the worker: those
 * two go together. */
static bool is_possible(unsigned state, unsigned work)
{
    return state != RECORD_GONE || work == WORK_NONE || work == WORK_RUNNING_FOR_ANOTHER ||
           work == WORK_STUCK_FOR_ANOTHER;
}

START_TEST(every_event_in_every_state)
{
    for (unsigned state = 0; state <= RECORD_GONE; state++)
        for (unsigned work = 0; work <= WORK_STUCK_FOR_ANOTHER; work++)
            for (unsigned i = 0; i < RECORD_EVENT_MAX * 24; i++) {
                struct record before = {.state = (enum record_state)state,
                                        .work = (enum record_work)work,
                                        .attempts = (uint8_t)(i % 6)};
                const struct record_event e = some_event(i / 24, i % 24);
                if (!is_possible(state, work))
                    continue;
                if (state == RECORD_FAILED || state == RECORD_RELEASE_FAILED)
                    before.error = EIO;
                if (state != RECORD_GONE && i % 2)
                    before.binding = BINDING_OURS, before.override = OVERRIDE_OURS;
                struct record r = before;
                record_apply(&r, &e);
                check_sound(&before, &e, &r);
                record_done(&r);
            }
}
END_TEST

START_TEST(events_in_any_order)
{
    uint64_t dice = 12345;
    struct record r = {.state = RECORD_OPEN};

    for (int i = 0; i < 10000; i++) {
        dice = dice * 6364136223846793005U + 1442695040888963407U;
        const unsigned roll = (unsigned)(dice >> 33);
        const struct record_event e = some_event(roll % RECORD_EVENT_MAX, roll / RECORD_EVENT_MAX);
        const struct record before = r;
        record_apply(&r, &e);
        check_sound(&before, &e, &r);
    }
    record_done(&r);
}
END_TEST

/* -- all of them -- */

START_TEST(only_what_may_come_back_outlives_a_device)
{
    static const struct pci_addr first = {0, 6, 0, 0}, second = {0, 7, 0, 0}, third = {0, 8, 0, 0};
    const struct record_event gone = EVENT(DISAPPEARED), returned = EVENT(RETURNED);
    CLEANUP(records_done) struct records records = {0};

    records_get(&records, first)->touched = true;
    records_get(&records, second)->past = (struct record_past)REFUSED;
    records_get(&records, third)->work = WORK_RUNNING;
    records_apply(&records, first, &gone);
    records_apply(&records, second, &gone);
    records_apply(&records, third, &gone);
    ck_assert(!records_find(&records, first));
    ck_assert(records_find(&records, second) && records_find(&records, third));
    records_apply(&records, third, &returned);
    ck_assert(!records_find(&records, third));
    records_apply(&records, third, &returned); /* of nothing */
    ck_assert_uint_eq(records.n, 1);
}
END_TEST

START_TEST(the_earliest_moment)
{
    CLEANUP(records_done) struct records records = {0};
    const struct record_event time = EVENT(TIME);

    records_get(&records, (struct pci_addr){0, 6, 0, 0});
    ck_assert_uint_eq(records_next_usec(&records), 0);
    records_get(&records, (struct pci_addr){0, 7, 0, 0})->not_before_usec = NOW + 7;
    records_get(&records, (struct pci_addr){0, 8, 0, 0})->not_before_usec = NOW;
    ck_assert_uint_eq(records_next_usec(&records), NOW);
    records_apply_all(&records, &time);
    ck_assert_uint_eq(records_next_usec(&records), NOW + 7);
}
END_TEST

UNIT_MAIN("record-order", every_event_in_every_state, events_in_any_order,
          only_what_may_come_back_outlives_a_device, the_earliest_moment)
