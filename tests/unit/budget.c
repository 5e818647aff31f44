/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Budgets are spent, fill again, and are each sender's own. */
#include "unit.h"

#include "front/bus-budget.h"
#include "offer/bus-names.h"

#define SECOND USEC_PER_SEC

/* How many calls of this cost are answered. */
static unsigned spend(struct bus_budgets *b, const char *sender, uint64_t cost, uint64_t now)
{
    unsigned n = 0;

    while (n < 100000 && bus_budget_take(b, sender, cost, now))
        n++;
    return n;
}

START_TEST(it_fills_again)
{
    static const struct budget_limits limits = {.most = 100, .per_second = 10};
    struct budget b = {0};

    ck_assert(budget_take(&b, &limits, 100, 7));
    ck_assert(!budget_take(&b, &limits, 1, 7));
    ck_assert(!budget_take(&b, &limits, 1, 7 + SECOND / 10 - 1));
    ck_assert(budget_take(&b, &limits, 1, 7 + SECOND / 10));
    ck_assert(!budget_take(&b, &limits, 11, 7 + SECOND + SECOND / 10));
    ck_assert(budget_take(&b, &limits, 10, 7 + SECOND + SECOND / 10));
    ck_assert(budget_take(&b, &limits, 100, UINT64_MAX / 2));
    ck_assert(!budget_take(&b, &limits, 1, UINT64_MAX / 2));
}
END_TEST

/* Who looks more often gets no more. */
START_TEST(the_rest_of_a_second_counts)
{
    static const struct budget_limits limits = {.most = 100, .per_second = 3};
    struct budget b = {0};
    unsigned n = 0;

    ck_assert(budget_take(&b, &limits, 100, 1));
    for (uint64_t now = 1; now <= 1 + 10 * SECOND; now += 777)
        n += budget_take(&b, &limits, 1, now);
    ck_assert_uint_ge(n, 29);
    ck_assert_uint_le(n, 30);
}
END_TEST

START_TEST(each_has_its_own)
{
    struct bus_budgets b = {0};
    unsigned whole = spend(&b, ":1.1", 1, SECOND);

    ck_assert_uint_gt(whole, 256);
    ck_assert_uint_eq(spend(&b, ":1.1", 1, SECOND), 0);
    ck_assert_uint_eq(spend(&b, ":1.2", 1, SECOND), whole);
    ck_assert_uint_gt(spend(&b, ":1.1", 1, 2 * SECOND), 0);
    ck_assert_uint_eq(spend(&b, ":1.1", 1, 3600 * SECOND), whole);
}
END_TEST

/* Many other senders do not let one who is at it begin anew. */
START_TEST(the_quiet_are_forgotten_first)
{
    struct bus_budgets b = {0};
    char name[16];

    (void)spend(&b, ":1.1", 1, SECOND);
    for (unsigned i = 0; i < 10 * BUS_SENDERS; i++) {
        uint64_t now = SECOND + i;
        snprintf(name, sizeof(name), ":2.%u", i);
        ck_assert(bus_budget_take(&b, name, 1, now));
        bus_budget_is_of(&b, name, 0, now);
        ck_assert_uint_le(spend(&b, ":1.1", 1, now), 1);
    }
}
END_TEST

/* More connections do not help a user; root's do not hurt each other. */
START_TEST(a_user_has_one)
{
    struct bus_budgets b = {0};
    const unsigned whole = 4096;

    for (unsigned i = 2; i < 8; i++) {
        char name[8];
        snprintf(name, sizeof(name), ":1.%u", i);
        ck_assert(bus_budget_is_new(&b, name, SECOND));
        ck_assert(!bus_budget_is_new(&b, name, SECOND));
        bus_budget_is_of(&b, name, i < 6 ? 1000 : 0, SECOND);
    }
    ck_assert_uint_eq(spend(&b, ":1.2", 1, SECOND), whole);
    ck_assert_uint_eq(spend(&b, ":1.3", 1, SECOND) + spend(&b, ":1.5", 1, SECOND), 0);
    ck_assert_uint_eq(spend(&b, ":1.6", 1, SECOND), whole);
    ck_assert_uint_eq(spend(&b, ":1.7", 1, SECOND), whole);
    bus_budget_is_of(&b, ":9.9", 1000, SECOND); /* it has gone */
}
END_TEST

/* Who connects anew for each call, and calls before the bus has said whose that is, has little of
 * it, and pays for that. */
START_TEST(new_connections_do_not_help)
{
    struct bus_budgets b = {0};
    unsigned n = 0;

    for (unsigned i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof(name), ":1.%u", i);
        (void)bus_budget_is_new(&b, name, SECOND);
        n += spend(&b, name, 257, SECOND);
        bus_budget_is_of(&b, name, 1000, SECOND);
        n += spend(&b, name, 257, SECOND);
    }
    ck_assert_uint_le(n, 2 * 16);
    ck_assert_uint_eq(spend(&b, ":1.99", 1, SECOND), 0);
}
END_TEST

/* Who is gone before the bus can say who it was has no budget for each connection either. Those
 * that the bus names do not suffer from each other. */
START_TEST(nor_does_it_to_be_gone)
{
    struct bus_budgets b = {0};
    unsigned n = 0;
    char name[16];

    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), ":1.%u", i);
        (void)bus_budget_is_new(&b, name, SECOND);
        ck_assert_uint_eq(spend(&b, name, 257, SECOND), 1);
        bus_budget_is_of(&b, name, i % 10 ? 0 : i, SECOND);
    }
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), ":2.%u", i);
        (void)bus_budget_is_new(&b, name, SECOND);
        n += spend(&b, name, 257, SECOND);
    }
    ck_assert_uint_le(n, 16);
    ck_assert_uint_gt(spend(&b, ":1.1", 257, SECOND), 8);
    ck_assert_uint_gt(spend(&b, ":3.1", 257, 10 * SECOND), 0);
}
END_TEST

START_TEST(costs)
{
    struct bus_budgets b = {0};

    ck_assert_uint_eq(bus_budget_cost(BUS_PATH, "Get", 256), 1);
    ck_assert_uint_eq(bus_budget_cost(BUS_DEVICE_PREFIX, "Introspect", 256), 257);
    ck_assert_uint_eq(bus_budget_cost(BUS_DEVICE_PREFIX "/a", "Introspect", 256), 1);
    ck_assert_uint_eq(bus_budget_cost(BUS_PATH, "GetManagedObjects", 256), 257);
    ck_assert_uint_eq(
        spend(&b, ":1.1", bus_budget_cost(BUS_PATH, "GetManagedObjects", 256), SECOND), 1);
    bus_budget_is_of(&b, ":1.1", 0, SECOND);
    ck_assert_uint_ge(
        spend(&b, ":1.1", bus_budget_cost(BUS_PATH, "GetManagedObjects", 256), SECOND), 8);
    /* More devices than any budget has: the answer is given, but not twice. */
    ck_assert_uint_eq(spend(&b, ":1.2", bus_budget_cost(BUS_PATH, "Plan", 65536), SECOND), 1);
}
END_TEST

UNIT_MAIN("budget", it_fills_again, the_rest_of_a_second_counts, each_has_its_own,
          the_quiet_are_forgotten_first, a_user_has_one, new_connections_do_not_help,
          nor_does_it_to_be_gone, costs)
