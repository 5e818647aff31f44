/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "base/util.h"
#include "model/record-event.h"

static const struct device bound = {.driver = "vfio-pci"}, native = {.driver = "nvidia"};

static void happen(struct record *r, enum record_event_kind kind, const struct device *d)
{
    const struct record_event e = {.kind = kind, .now_usec = 1000, .device = d};

    record_apply(r, &e);
}

static void done(struct record *r, enum action_kind kind, const char *driver, int result)
{
    const struct record_event e = {
        .kind = RECORD_EVENT_DONE,
        .op = {.kind = kind, .driver = driver, .found = "", .result = result}};

    record_apply(r, &e);
}

START_TEST(tested_after_its_user)
{
    struct record r = {.binding = BINDING_OURS};

    happen(&r, RECORD_EVENT_CLOSED, &native); /* VFIO has not got it any more */
    ck_assert_int_eq(r.health, HEALTH_UNTESTED);
    happen(&r, RECORD_EVENT_CLOSED, &bound);
    ck_assert_int_eq(r.health, HEALTH_SUSPECT);
    ck_assert(record_is_waiting(&r)); /* until its reset is over */
    done(&r, ACTION_TEST, "", 0);
    ck_assert(r.health == HEALTH_UNTESTED);
    done(&r, ACTION_TEST, "", -EIO);
    ck_assert(r.health == HEALTH_DEAD && r.state == RECORD_OPEN && r.error == 0);
    happen(&r, RECORD_EVENT_RESCAN, NULL);
    ck_assert_int_eq(r.health, HEALTH_SUSPECT);
    done(&r, ACTION_TEST, "", -ENODEV);
    ck_assert_int_eq(r.health, HEALTH_UNTESTED); /* it is gone, which is not dead */
    done(&r, ACTION_TEST, "", -EIO);
    done(&r, ACTION_UNBIND, "vfio-pci", 0);
    ck_assert_int_eq(r.health, HEALTH_UNTESTED);
    record_done(&r);
}
END_TEST

/* No memory, no descriptor: that says nothing about the device, so it is tested again later. */
START_TEST(not_tested_is_not_dead)
{
    struct record r = {.binding = BINDING_OURS};

    happen(&r, RECORD_EVENT_CLOSED, &bound);
    r.not_before_usec = 0;
    done(&r, ACTION_TEST, "", -EMFILE);
    ck_assert_int_eq(r.health, HEALTH_SUSPECT);
    ck_assert_uint_eq(r.not_before_usec, 10 * USEC_PER_SEC);
    done(&r, ACTION_TEST, "", -EIO);
    r.not_before_usec = 0;
    done(&r, ACTION_TEST, "", -ENOMEM); /* dead until it is known that it answers */
    ck_assert_int_eq(r.health, HEALTH_DEAD);
    record_done(&r);
}
END_TEST

START_TEST(another_card_is_not_dead)
{
    struct record r = {.binding = BINDING_OURS};

    happen(&r, RECORD_EVENT_CLOSED, &bound);
    done(&r, ACTION_TEST, "", -EIO);
    done(&r, ACTION_RESET_METHOD, "flr", 0);
    happen(&r, RECORD_EVENT_DISAPPEARED, NULL);
    ck_assert(r.health == HEALTH_UNTESTED && !r.reset_method);
    record_done(&r);
}
END_TEST

START_TEST(reset_method)
{
    struct record r = {.binding = BINDING_OURS};

    done(&r, ACTION_RESET_METHOD, "flr bus", 0);
    ck_assert_str_eq(r.reset_method, "flr bus");
    ck_assert_int_eq(r.reset_error, 0);
    happen(&r, RECORD_EVENT_RELOAD, NULL);
    ck_assert_str_eq(r.reset_method, "flr bus"); /* need not be written again */
    done(&r, ACTION_RESET_METHOD, "pm", -EINVAL);
    ck_assert(r.reset_error == EINVAL && r.state == RECORD_OPEN);
    happen(&r, RECORD_EVENT_RELOAD, NULL);
    ck_assert(!r.reset_method && r.reset_error == 0); /* is tried again */
    record_done(&r);
}
END_TEST

UNIT_MAIN("record-health", tested_after_its_user, not_tested_is_not_dead, another_card_is_not_dead,
          reset_method)
