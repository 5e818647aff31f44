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

UNIT_MAIN("results", an_entry_that_hangs_is_at_work_and_holds_up_no_other,
          a_group_in_use_is_not_released_and_who_uses_it_is_kept,
          what_failed_for_a_card_says_nothing_of_the_next, who_has_a_device_next_is_news)
