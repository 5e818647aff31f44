/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of the results of workers. */
#include "unit.h"

#include <errno.h>

#include "base/clock.h"
#include "write/record-ops.h"

static struct op make_op(const char *address, enum action_kind kind, const char *driver, int result)
{
    struct op op = {.kind = kind, .result = result};

    if (*address)
        ck_assert_int_eq(pci_addr_parse(address, &op.addr), 0);
    op.driver = driver;
    return op;
}

START_TEST(an_entry_that_hangs_is_at_work_and_holds_up_no_other)
{
    CLEANUP(records_done) struct records records = {0};
    struct dynid id;
    const struct op op =
        make_op("", ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0", OP_NOT_DONE);

    ck_assert(record_ops_begin(&records, &op, 1));
    ck_assert(records.dynids.in_flight);
    record_ops_hanging_entry(&records, &op);
    ck_assert(!records.dynids.in_flight);
    ck_assert(dynid_parse(op.driver, &id));
    ck_assert_int_eq(dynids_find(&records.dynids, &id)->state, DYNID_ARMED);
}
END_TEST

START_TEST(what_is_told_of_a_device)
{
    CLEANUP(records_done) struct records records = {0};
    static const char found[] = "Xorg (PID 7) has /dev/dri/card0 open";
    const struct op ops[] = {make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", OP_SKIPPED),
                             make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", OP_NOT_DONE),
                             make_op("0000:06:00.0", ACTION_CHECK, "", -EBUSY)};
    const struct record *r = records_get(&records, ops[0].addr);

    ck_assert_ptr_nonnull(r);
    for (size_t i = 0; i < ELEMENTS(ops); i++) {
        ck_assert_int_eq(r->error, 0);
        record_ops_result(&records, &ops[i], found);
    }
    ck_assert(r->error == EBUSY && r->failed_at == ACTION_CHECK);
    ck_assert_str_eq(r->holder, found);
}
END_TEST

static void end_waiting(struct record *r, uint64_t now_usec)
{
    record_apply(r, &(struct record_event){.kind = RECORD_EVENT_TIME, .now_usec = now_usec});
}

/* It stays with its driver, and nobody has to ask for the next attempt. The delay grows. */
START_TEST(users_that_could_not_be_seen_are_looked_for_again)
{
    CLEANUP(records_done) struct records records = {0};
    static const char found[] = "who uses it could not be seen (no answer in time)";
    const struct op unseen = make_op("0000:06:00.0", ACTION_CHECK, "", -EAGAIN);
    const struct op busy = make_op("0000:06:00.0", ACTION_CHECK, "", -EBUSY);
    static const uint64_t seconds[] = {5, 10, 20, 40, 60, 60};
    struct record *r = records_get(&records, unseen.addr);

    ck_assert_ptr_nonnull(r);
    for (size_t i = 0; i < ELEMENTS(seconds); i++) {
        const uint64_t before = now_usec();
        record_ops_result(&records, &unseen, found);
        const uint64_t after = now_usec(), due = r->not_before_usec;
        ck_assert(r->state == RECORD_FAILED && r->error == EAGAIN && record_is_unseen(r));
        ck_assert(due >= before + seconds[i] * USEC_PER_SEC);
        ck_assert(due <= after + seconds[i] * USEC_PER_SEC);
        end_waiting(r, due - 1);
        ck_assert(r->state == RECORD_FAILED && record_is_waiting(r));
        end_waiting(r, due);
        ck_assert(r->state == RECORD_OPEN && !record_is_waiting(r));
    }
    record_ops_result(&records, &busy, found);
    ck_assert(!record_is_waiting(r) && !record_is_unseen(r) && r->unseen == 0);
    end_waiting(r, UINT64_MAX);
    ck_assert_int_eq(r->state, RECORD_FAILED);
}
END_TEST

START_TEST(a_release_that_could_not_see_is_tried_again)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op unseen = make_op("0000:06:00.0", ACTION_CHECK, "vfio-pci", -EAGAIN);
    struct record *r = records_get(&records, unseen.addr);

    ck_assert_ptr_nonnull(r);
    r->state = RECORD_RELEASING;
    record_ops_result(&records, &unseen, "its driver_override could not be read");
    ck_assert_int_eq(r->state, RECORD_RELEASE_FAILED);
    end_waiting(r, r->not_before_usec);
    ck_assert_int_eq(r->state, RECORD_RELEASING);
}
END_TEST

/* The native driver that was not found may be the one that skipped the device. */
START_TEST(an_offer_that_could_not_see_is_made_again)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op unseen = make_op("0000:06:00.0", ACTION_OFFER, "", -EMFILE);
    const struct op seen = make_op("0000:06:00.0", ACTION_OFFER, "", 0);
    struct record *r = records_get(&records, unseen.addr);

    ck_assert_ptr_nonnull(r);
    r->state = RECORD_HANDED_BACK;
    r->offer = OFFER_DUE;
    record_ops_result(&records, &unseen, "");
    ck_assert(r->state == RECORD_HANDED_BACK && r->offer == OFFER_DUE && record_is_waiting(r));
    end_waiting(r, r->not_before_usec);
    ck_assert(r->state == RECORD_HANDED_BACK && r->offer == OFFER_DUE && !record_is_waiting(r));
    record_ops_result(&records, &seen, "");
    ck_assert(r->offer == OFFER_NONE && r->unseen == 0);
}
END_TEST

/* Before the placeholder is written: nobody knows it afterwards. */
START_TEST(who_was_offered_a_device_before_its_placeholder_is_kept)
{
    CLEANUP(records_done) struct records records = {0};
    struct op op = make_op("0000:06:00.0", ACTION_SET_PLACEHOLDER, "", 0);

    op.order = 77;
    ck_assert(record_ops_begin(&records, &op, 1));
    ck_assert_uint_eq(records_find(&records, op.addr)->offered_to, 77);
}
END_TEST

/* Once for each device, however many operations it has in the job. */
START_TEST(a_group_that_is_kept)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op ops[] = {make_op("0000:06:00.0", ACTION_HOLD, "14", -EBUSY),
                             make_op("0000:06:00.0", ACTION_UNBIND, "vfio-pci", OP_SKIPPED),
                             make_op("0000:06:00.1", ACTION_UNBIND, "vfio-pci", OP_SKIPPED),
                             make_op("0000:06:00.0", ACTION_CLEAR, "", OP_SKIPPED)};
    const struct record *r, *other;

    ck_assert(records_get(&records, ops[0].addr) && records_get(&records, ops[2].addr));
    r = records_find(&records, ops[0].addr);
    other = records_find(&records, ops[2].addr);
    records_find(&records, ops[0].addr)->state = RECORD_RELEASING;
    record_ops_give_up_group(&records, ops, ELEMENTS(ops), "qemu");
    ck_assert(r->state == RECORD_OPEN && r->error == 0); /* it is bound, and that is no failure */
    ck_assert(other->state == RECORD_FAILED && other->error == EBUSY);
    ck_assert_int_eq(other->failed_at, ACTION_HOLD);
    ck_assert(streq_null(r->holder, "qemu") && streq_null(other->holder, "qemu"));
}
END_TEST

/* -- workers that die -- */

START_TEST(a_worker_that_dies_is_not_started_for_ever)
{
    CLEANUP(records_done) struct records records = {0};
    const struct op op = make_op("0000:06:00.0", ACTION_BIND, "vfio-pci", OP_NOT_DONE);
    const struct op done = make_op("0000:06:00.0", ACTION_OVERRIDE, "vfio-pci", 0);
    const struct record *r = records_get(&records, op.addr);

    ck_assert_ptr_nonnull(r);
    for (int k = 1; k <= 5; k++) {
        record_ops_death(&records, &done);
        record_ops_death(&records, &op);
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
    struct dynid id;

    ck_assert(dynid_parse(op.driver, &id));
    for (int k = 1; k <= 5; k++) {
        record_ops_begin(&records, &op, 1);
        record_ops_death(&records, &op);
        ck_assert_int_eq(dynids_find(&records.dynids, &id)->error, k < 5 ? 0 : EIO);
    }
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
        {"0000:06:00.0", ACTION_SET_PLACEHOLDER, "", false, false, true},
        {"0000:06:00.0", ACTION_BIND, "vfio-pci", false, false, false},
        {"", ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0", false, false, true},
        {"", ACTION_REMOVE_ID, "10de 20f1 ffffffff ffffffff 0 0 0", false, false, true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(records_done) struct records records = {0};
        struct op op = make_op(cases[i].address, cases[i].kind, cases[i].driver, OP_NOT_DONE);
        struct record *r = records_get(&records, make_op("0000:06:00.0", ACTION_BIND, "", 0).addr);
        struct dynid id;
        op.learned = op.narrowed = true;
        r->arrival = cases[i].hotplugged ? ARRIVAL_UNUSED : ARRIVAL_THERE;
        r->override = cases[i].ours ? OVERRIDE_MAYBE : OVERRIDE_NOT_OURS;
        ck_assert_msg(record_ops_begin(&records, &op, 1) == cases[i].keep, "case %zu", i);
        ck_assert(record_may_be_overridden(r) == (op.kind == ACTION_OVERRIDE));
        ck_assert(r->placeholder == (op.kind == ACTION_SET_PLACEHOLDER));
        ck_assert(records.dynids.in_flight == !*cases[i].address);
        if (op.kind != ACTION_NEW_ID)
            continue;
        ck_assert(dynid_parse(op.driver, &id));
        const struct dynid_entry *e = dynids_find(&records.dynids, &id);
        ck_assert(e && e->state == DYNID_BEGUN && e->learned && e->narrowed);
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
        {ACTION_NEW_ID, false, 0, DYNID_ARMED, 0},
        {ACTION_NEW_ID, false, -EINVAL, DYNID_OPEN, EINVAL},
        {ACTION_NEW_ID, false, OP_SKIPPED, DYNID_OPEN, EIO}, /* would be skipped again */
        {ACTION_NEW_ID, false, OP_NOT_DONE, DYNID_BEGUN,
         0}, /* or it was done, and nobody says so */
        {ACTION_REMOVE_ID, false, 0, -1, 0},
        {ACTION_REMOVE_ID, true, 0, DYNID_OPEN, 0},
        {ACTION_REMOVE_ID, false, OP_NOT_DONE, DYNID_BEGUN, 0},
        {ACTION_REMOVE_ID, false, -EIO, DYNID_BEGUN, EIO},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(records_done) struct records records = {.dynids.in_flight = true};
        const struct op op =
            make_op("", cases[i].kind, "10de 20f1 ffffffff ffffffff 0 0 0", cases[i].result);
        struct dynid id;
        ck_assert(dynid_parse(op.driver, &id));
        dynids_get(&records.dynids, &id)->state = DYNID_BEGUN;
        dynids_find(&records.dynids, &id)->learned = cases[i].learned;
        record_ops_result(&records, &op, "");
        ck_assert(!records.dynids.in_flight);
        const struct dynid_entry *e = dynids_find(&records.dynids, &id);
        ck_assert_msg(e ? (int)e->state == cases[i].state : cases[i].state == -1, "case %zu", i);
        ck_assert_msg(!e || e->error == cases[i].error, "case %zu", i);
    }
}
END_TEST

UNIT_MAIN("record-ops", an_entry_that_hangs_is_at_work_and_holds_up_no_other,
          what_is_told_of_a_device, users_that_could_not_be_seen_are_looked_for_again,
          a_release_that_could_not_see_is_tried_again, an_offer_that_could_not_see_is_made_again,
          who_was_offered_a_device_before_its_placeholder_is_kept, a_group_that_is_kept,
          a_worker_that_dies_is_not_started_for_ever, nor_one_that_dies_of_an_entry,
          what_is_noted_before, what_becomes_of_an_entry)
