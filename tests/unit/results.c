/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of the results of workers. */
#include "unit.h"

#include <errno.h>

#include "results.h"

static struct op make_op(const char *address, enum action_kind kind, const char *driver, int result)
{
    struct op op = {.kind = kind, .result = result};

    if (*address)
        ck_assert_int_eq(pci_addr_parse(address, &op.addr), 0);
    snprintf(op.driver, sizeof(op.driver), "%s", driver);
    return op;
}

START_TEST(an_entry_that_hangs_is_at_work_and_holds_up_no_other)
{
    CLEANUP(records_done) struct records records = {0};
    struct fence_id id;
    const struct op op =
        make_op("", ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0", OP_NOT_DONE);

    ck_assert(results_begin(&records, &op, 1));
    ck_assert(records.fence.in_flight);
    results_hanging_entry(&records, &op);
    ck_assert(!records.fence.in_flight);
    ck_assert(fence_parse(op.driver, &id));
    ck_assert_int_eq(fence_find(&records.fence, &id)->state, FENCE_ARMED);
}
END_TEST

START_TEST(a_group_in_use_is_not_released_and_who_uses_it_is_kept)
{
    CLEANUP(records_done) struct records records = {0};
    static const char found[] = "qemu (PID 7, vm.service) has /dev/vfio/14 open";
    const struct op op = make_op("0000:06:00.0", ACTION_HOLD, "14", -EBUSY);
    struct record *r = records_get(&records, op.addr);

    ck_assert_ptr_nonnull(r);
    r->released = true;
    results_note(&records, &op, found);
    results_give_up_group(&records, &op, 1, found);
    ck_assert(!r->released);
    ck_assert_int_eq(r->error, 0); /* it is bound, and that is no failure */
    ck_assert_str_eq(r->holder, found);
}
END_TEST

START_TEST(what_failed_for_a_card_says_nothing_of_the_next)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op = make_op("0000:06:00.1", ACTION_HOLD, "14", -ENOENT);
    struct record *r = records_get(&records, op.addr);

    ck_assert_ptr_nonnull(r);
    r->in_flight = r->replaced = r->hotplugged = r->fresh = true;
    results_note(&records, &op, "");
    results_give_up_group(&records, &op, 1, "");
    ck_assert(r->fresh);
    ck_assert_int_eq(r->error, 0);
}
END_TEST

START_TEST(who_has_a_device_next_is_news)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op = make_op("0000:06:00.0", ACTION_UNBIND, "vfio-pci", 0);
    struct record *r = records_get(&records, op.addr);

    ck_assert_ptr_nonnull(r);
    r->confirmed = true;
    r->logged_state = STATE_BOUND;
    results_note(&records, &op, "");
    ck_assert(!r->confirmed);
    ck_assert_int_eq(r->logged_state, -1);
}
END_TEST

/* -- one operation -- */

static struct record *note(struct records *records, enum action_kind kind, int result)
{
    const struct op op = make_op("0000:06:00.0", kind, "vfio-pci", result);

    results_note(records, &op, "Xorg (PID 7) has /dev/dri/card0 open");
    return records_find(records, op.addr);
}

static struct record *some_record(struct records *records)
{
    const struct op op = make_op("0000:06:00.0", ACTION_BIND, "", 0);

    return records_get(records, op.addr);
}

START_TEST(what_success_means)
{
    CLEANUP(records_done) struct records records = {0};
    const struct record *r = some_record(&records);

    ck_assert(note(&records, ACTION_OVERRIDE, 0)->overridden);
    some_record(&records)->lost = 2;
    note(&records, ACTION_BIND, 0);
    ck_assert(r->confirmed && r->unverified && r->lost == 0);
    some_record(&records)->ours = true;
    note(&records, ACTION_CLEAR, 0);
    ck_assert(!r->overridden && !r->ours);
    some_record(&records)->fresh = true;
    note(&records, ACTION_NATIVE, 0);
    ck_assert(r->handed_back && !r->fresh);
    some_record(&records)->parked = true;
    ck_assert(note(&records, ACTION_PARK, 0)->parked);
    ck_assert(!note(&records, ACTION_UNPARK, 0)->parked);
    ck_assert_int_eq(r->error, 0);
}
END_TEST

/* Nothing was written; what somebody has stays on its driver, which so was never its previous one.
 */
START_TEST(what_failure_means)
{
    CLEANUP(records_done) struct records records = {0};
    struct record *r = some_record(&records);

    r->parked = true;
    note(&records, ACTION_PARK, -EACCES);
    ck_assert(!r->parked && r->error == 0);
    r->previous_driver = strdup("nvidia");
    note(&records, ACTION_CHECK, -EBUSY);
    ck_assert(r->error == EBUSY && r->failed_at == ACTION_CHECK && !r->previous_driver);
    ck_assert_str_eq(r->holder, "Xorg (PID 7) has /dev/dri/card0 open");
    note(&records, ACTION_UNBIND, -EIO);
    ck_assert(r->error == EIO && r->failed_at == ACTION_UNBIND);
    note(&records, ACTION_BIND, OP_SKIPPED);
    note(&records, ACTION_BIND, OP_NOT_DONE);
    ck_assert(r->error == EIO && !r->confirmed);
}
END_TEST

START_TEST(a_lost_race_is_run_again_but_not_for_ever)
{
    static const struct {
        enum action_kind kind;
        int result;
    } cases[] = {{ACTION_BIND, -EBUSY}, {ACTION_UNBIND, -ENODEV}, {ACTION_UNBIND, -ENOENT}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(records_done) struct records records = {0};
        const struct record *r = some_record(&records);
        for (int k = 1; k <= 5; k++) {
            note(&records, cases[i].kind, cases[i].result);
            ck_assert_int_eq(r->error, k < 5 ? 0 : -cases[i].result);
            ck_assert(r->confirmed == (cases[i].kind == ACTION_BIND)); /* probe() is over */
        }
    }
}
END_TEST

/* -- workers that die -- */

/* "Later", of an IOMMU that is about to be there, is none either, be the card old or new. */
START_TEST(an_iommu_that_is_about_to_be_there_is_no_failure)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op = make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", -EAGAIN);
    struct record *r = records_get(&records, op.addr);

    ck_assert_ptr_nonnull(r);
    for (int i = 0; i < 4; i++) {
        results_note(&records, &op, "");
        ck_assert(r->early);
        ck_assert_int_eq(r->error, 0);
    }
    results_note(&records, &op, "");
    ck_assert(!r->early);
    ck_assert_int_eq(r->error, EAGAIN);
}
END_TEST

/* The kernel tells of a device before it lets drivers match. One that was there is another matter.
 */
START_TEST(a_card_that_is_still_being_added_is_no_failure)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op = make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", -ENODEV);
    const struct op done = make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", 0);
    struct record *r = records_get(&records, op.addr);

    ck_assert_ptr_nonnull(r);
    r->hotplugged = true;
    for (int i = 0; i < 4; i++) {
        results_note(&records, &op, "");
        ck_assert(r->early);
        ck_assert_int_eq(r->error, 0);
    }
    results_note(&records, &done, "");
    ck_assert(!r->early && r->confirmed);
    for (int i = 0; i < 5; i++)
        results_note(&records, &op, "");
    ck_assert(!r->early);
    ck_assert_int_eq(r->error, ENODEV);
    record_reset(r);
    results_note(&records, &op, "");
    ck_assert(!r->early);
    ck_assert_int_eq(r->error, ENODEV);
}
END_TEST

START_TEST(a_worker_that_dies_is_not_started_for_ever)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op = make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", OP_NOT_DONE);
    const struct op done = make_op("0000:06:00.0", ACTION_OVERRIDE, "vfio-pci", 0);
    const struct record *r = some_record(&records);

    for (int k = 1; k <= 5; k++) {
        results_note_death(&records, &done);
        results_note_death(&records, &op);
        ck_assert_int_eq(r->error, k < 5 ? 0 : EIO);
    }
    ck_assert_int_eq(r->failed_at, ACTION_BIND);
}
END_TEST

START_TEST(nor_one_that_dies_of_an_entry)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op =
        make_op("", ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0", OP_NOT_DONE);
    struct fence_id id;

    ck_assert(fence_parse(op.driver, &id));
    for (int k = 1; k <= 5; k++) {
        results_begin(&records, &op, 1);
        results_note_death(&records, &op);
        ck_assert_int_eq(fence_find(&records.fence, &id)->error, k < 5 ? 0 : EIO);
    }
}
END_TEST

/* -- groups -- */

START_TEST(a_group_in_use_is_not_taken)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op ops[] = {make_op("0000:06:00.0", ACTION_HOLD, "14", -EBUSY),
                             make_op("0000:06:00.1", ACTION_UNBIND, "vfio-pci", OP_SKIPPED)};
    struct record *r = some_record(&records);

    r->fresh = true;
    results_give_up_group(&records, ops, 2, "qemu");
    ck_assert(r->error == EBUSY && r->failed_at == ACTION_HOLD && !r->fresh);
    ck_assert_str_eq(r->holder, "qemu");
}
END_TEST

/* -- before it begins -- */

/* What must be in /run before the write. */
START_TEST(what_is_noted_before)
{
    static const struct {
        const char *address;
        enum action_kind kind;
        const char *driver;
        bool hotplugged, ours, keep;
    } cases[] = {
        {"0000:06:00.0", ACTION_OVERRIDE, "vfio-pci", false, false, true},
        {"0000:06:00.0", ACTION_OVERRIDE, "vfio-pci", true, false, false}, /* it is in a hurry */
        {"0000:06:00.0", ACTION_OVERRIDE, "vfio-pci", false, true, false}, /* it is there */
        {"0000:06:00.0", ACTION_PARK, "", false, false, true},
        {"0000:06:00.0", ACTION_BIND, "vfio-pci", false, false, false},
        {"", ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0", false, false, true},
        {"", ACTION_REMOVE_ID, "10de 20f1 ffffffff ffffffff 0 0 0", false, false, true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(records_done) struct records records = {0};
        struct op op = make_op(cases[i].address, cases[i].kind, cases[i].driver, OP_NOT_DONE);
        struct record *r = some_record(&records);
        struct fence_id id;
        op.companion = op.narrowed = true;
        r->hotplugged = cases[i].hotplugged;
        r->ours = cases[i].ours;
        ck_assert_msg(results_begin(&records, &op, 1) == cases[i].keep, "case %zu", i);
        ck_assert(r->ours == (op.kind == ACTION_OVERRIDE));
        ck_assert(r->parked == (op.kind == ACTION_PARK));
        ck_assert(records.fence.in_flight == !*cases[i].address);
        if (op.kind != ACTION_NEW_ID)
            continue;
        ck_assert(fence_parse(op.driver, &id));
        const struct fence_entry *e = fence_find(&records.fence, &id);
        ck_assert(e && e->state == FENCE_BEGUN && e->companion && e->narrowed);
    }
}
END_TEST

START_TEST(what_becomes_of_an_entry)
{
    static const struct {
        enum action_kind kind;
        bool learned;
        int result;
        int state; /* -1: forgotten */
        int error;
    } cases[] = {
        {ACTION_NEW_ID, false, 0, FENCE_ARMED, 0},
        {ACTION_NEW_ID, false, -EINVAL, FENCE_OPEN, EINVAL},
        {ACTION_NEW_ID, false, OP_SKIPPED, FENCE_OPEN, EIO}, /* would be skipped again */
        {ACTION_NEW_ID, false, OP_NOT_DONE, FENCE_BEGUN,
         0}, /* or it was done, and nobody says so */
        {ACTION_REMOVE_ID, false, 0, -1, 0},
        {ACTION_REMOVE_ID, true, 0, FENCE_OPEN, 0},
        {ACTION_REMOVE_ID, false, OP_NOT_DONE, FENCE_BEGUN, 0},
        {ACTION_REMOVE_ID, false, -EIO, FENCE_BEGUN, EIO},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(records_done) struct records records = {.fence.in_flight = true};
        const struct op op =
            make_op("", cases[i].kind, "10de 20f1 ffffffff ffffffff 0 0 0", cases[i].result);
        struct fence_id id;
        ck_assert(fence_parse(op.driver, &id));
        fence_get(&records.fence, &id)->state = FENCE_BEGUN;
        fence_find(&records.fence, &id)->companion = cases[i].learned;
        results_note(&records, &op, "");
        ck_assert(!records.fence.in_flight);
        const struct fence_entry *e = fence_find(&records.fence, &id);
        ck_assert_msg(e ? (int)e->state == cases[i].state : cases[i].state == -1, "case %zu", i);
        ck_assert_msg(!e || e->error == cases[i].error, "case %zu", i);
    }
}
END_TEST

UNIT_MAIN("results", an_entry_that_hangs_is_at_work_and_holds_up_no_other,
          a_group_in_use_is_not_released_and_who_uses_it_is_kept,
          what_failed_for_a_card_says_nothing_of_the_next, who_has_a_device_next_is_news,
          what_success_means, what_failure_means, a_lost_race_is_run_again_but_not_for_ever,
          a_card_that_is_still_being_added_is_no_failure,
          an_iommu_that_is_about_to_be_there_is_no_failure,
          a_worker_that_dies_is_not_started_for_ever, nor_one_that_dies_of_an_entry,
          a_group_in_use_is_not_taken, what_is_noted_before, what_becomes_of_an_entry)
