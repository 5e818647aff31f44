/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text for STATUS= and the journal's summary. */
#include "tell/announce.h"

#include "unit.h"

static struct rule rule = {.expect = -1};

static struct verdict verdict_of(uint8_t bus, uint8_t fn, enum device_state state)
{
    return (struct verdict){.addr = {.bus = bus, .fn = fn},
                            .leader = {.bus = bus},
                            .comes_along = fn > 0,
                            .rule = &rule,
                            .state = state,
                            .driver = state == STATE_BOUND ? "vfio-pci" : NULL,
                            .usable = state == STATE_BOUND};
}

static void expect_text(struct verdict *verdicts, size_t n, const char *expected)
{
    const struct view view = {.policy = {.rules = &rule, .n_rules = 1},
                              .plan = {.verdicts = verdicts, .n_verdicts = n}};
    char text[256];

    announce_status(&view, text, sizeof(text));
    ck_assert_str_eq(text, expected);
}

/* A rule that expects 2 devices is not told about 4. */
START_TEST(companions_are_counted_separately)
{
    struct verdict v[] = {verdict_of(6, 0, STATE_BOUND), verdict_of(6, 1, STATE_BOUND),
                          verdict_of(7, 0, STATE_BOUND), verdict_of(7, 1, STATE_BOUND)};

    expect_text(v, 4, "2 devices and their 2 companion functions bound");
    v[2] = verdict_of(7, 0, STATE_REFUSED);
    expect_text(v, 4, "1 of 2 devices and 2 of 2 companion functions bound, 1 refused");
    v[2].state = STATE_STUCK;
    v[0].usable = false;
    expect_text(v, 4, "1 of 2 devices and 2 of 2 companion functions bound, 1 not usable, 1 stuck");
    expect_text(v, 1, "1 device bound, 1 not usable");
    expect_text(v, 0, "no device selected");
}
END_TEST

UNIT_MAIN("announce", companions_are_counted_separately)
