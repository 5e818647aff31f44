/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <errno.h>

#include "loop/record-seen.h"
#include "policy/parse.h"

static const struct pci_addr first = {0, 6, 0, 0}, second = {0, 7, 0, 0};

static void view_done(struct view *v)
{
    records_done(&v->records);
    snapshot_done(&v->snapshot);
}

static void put(struct snapshot *s, struct pci_addr a, uint64_t order)
{
    const struct device d = {.addr = a, .order = order, .group = NO_GROUP};

    ck_assert_int_eq(snapshot_put(s, &d), 0);
}

static bool is_plugged(const struct view *v, struct pci_addr a)
{
    const struct record *r = records_find(&v->records, a);

    return r && record_is_plugged(r) && r->fresh;
}

START_TEST(first_start)
{
    CLEANUP(view_done) struct view v = {0};
    const struct snapshot nothing = {0};

    put(&v.snapshot, first, 100);
    put(&v.snapshot, second, 101);
    record_seen_new_devices(&v, &nothing);
    ck_assert(!is_plugged(&v, first) && !is_plugged(&v, second));
    ck_assert_uint_eq(v.records.newest, 101);
}
END_TEST

/* `first` was there before; in the place of `second`, which we had bound, there is another. */
START_TEST(plugged_while_nobody_ran)
{
    CLEANUP(view_done) struct view v = {.records.newest = 101};
    const struct snapshot nothing = {0};

    put(&v.snapshot, first, 100);
    put(&v.snapshot, second, 102);
    records_get(&v.records, first)->override = OVERRIDE_MAYBE;
    records_get(&v.records, second)->override = OVERRIDE_MAYBE;
    record_seen_new_devices(&v, &nothing);
    ck_assert(!is_plugged(&v, first) && record_is_owned(records_find(&v.records, first)));
    ck_assert(is_plugged(&v, second) && !record_is_owned(records_find(&v.records, second)));
    ck_assert_uint_eq(v.records.newest, 102);
}
END_TEST

START_TEST(plugged_while_events_were_lost)
{
    static const struct {
        uint64_t before, now; /* 0: not known, and as `before` not there if `absent` */
        bool absent, plugged;
    } cases[] = {
        {0, 102, true, true},     {0, 0, true, true},      {0, 101, true, false}, /* unread */
        {101, 101, false, false}, {101, 102, false, true}, {0, 102, false, false},
        {101, 0, false, false},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {.records.newest = 101};
        CLEANUP(snapshot_done) struct snapshot before = {0};
        put(&before, first, 100);
        put(&v.snapshot, first, 100);
        if (!cases[i].absent)
            put(&before, second, cases[i].before);
        put(&v.snapshot, second, cases[i].now);
        records_get(&v.records, second)->state = RECORD_CONTESTED;
        record_seen_new_devices(&v, &before);
        ck_assert_msg(is_plugged(&v, second) == cases[i].plugged, "case %zu", i);
        const struct record *r = records_find(&v.records, second);
        ck_assert(record_is_contested(r) != cases[i].plugged);
        ck_assert(!is_plugged(&v, first));
    }
}
END_TEST

/* The event of a card that went was read when the next one was there already; then the end of the
 * former was told, and the coming of the latter was lost. */
START_TEST(seen_before_its_own_event_was_lost)
{
    CLEANUP(view_done) struct view v = {.records.newest = 100};
    CLEANUP(snapshot_done) struct snapshot before = {0};

    put(&v.snapshot, first, 100);
    put(&v.snapshot, second, 102);
    record_seen_plugged(&v, second);
    snapshot_remove(&v.snapshot, second);
    record_seen_forget(&v, second);
    put(&before, first, 100);
    put(&v.snapshot, second, 102);
    record_seen_new_devices(&v, &before);
    ck_assert(is_plugged(&v, second));
}
END_TEST

START_TEST(a_worker_has_it_in_hand)
{
    CLEANUP(view_done) struct view v = {.records.newest = 101};
    CLEANUP(snapshot_done) struct snapshot before = {0};

    put(&before, first, 101);
    put(&v.snapshot, first, 102);
    records_get(&v.records, first)->work = WORK_RUNNING;
    record_seen_new_devices(&v, &before);
    ck_assert_int_eq(records_find(&v.records, first)->work, WORK_RUNNING_FOR_ANOTHER);
    ck_assert(is_plugged(&v, first));
}
END_TEST

/* -- what a plan shows -- */

static void put_driver(struct view *v, struct pci_addr a, const char *driver)
{
    struct device d = {.addr = a, .group = NO_GROUP, .vendor = 0x10de, .device = 0x20f1};

    d.driver = driver ? snapshot_name(&v->snapshot, driver) : NULL;
    ck_assert_int_eq(snapshot_put(&v->snapshot, &d), 0);
}

static void add_entry(struct view *v)
{
    struct dynid id;

    ck_assert(dynid_parse("10de 20f1 ffffffff ffffffff 0 0 0", &id));
    dynids_get(&v->records.dynids, &id)->state = DYNID_ARMED;
}

/* The plan of one device that is to be on vfio-pci. */
static struct record *take_plan(struct view *v, const char *driver, enum device_state state)
{
    static struct verdict verdict;

    verdict = (struct verdict){.addr = first, .driver = "vfio-pci", .state = state};
    v->plan = (struct plan){.verdicts = &verdict, .n_verdicts = 1};
    put_driver(v, first, driver);
    ck_assert_int_eq(record_seen_plan(v), 0);
    return records_find(&v->records, first);
}

START_TEST(verdicts_are_told)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = take_plan(&v, "nvidia", STATE_PENDING);

    ck_assert(r && r->seen_usec > 0 && r->touched);
    r->binding = BINDING_FOUND;
    r->override = OVERRIDE_OURS;
    r->seen_usec = 1;
    r = take_plan(&v, "vfio-pci", STATE_BOUND);
    ck_assert(r->bound_usec > 0 && r->binding == BINDING_FOUND);
    add_entry(&v);
    r = take_plan(&v, "vfio-pci", STATE_BOUND);
    ck_assert_int_eq(r->binding, BINDING_OURS); /* a dynamic ID has bound it */
}
END_TEST

/* That no rule names a device is only known when all rules are, and all that they ask for. */
START_TEST(what_no_rule_names)
{
    static const struct {
        bool detailed, unidentified, incomplete, in_hand, ours, named, unnamed;
    } cases[] = {
        {.detailed = true, .ours = true, .unnamed = true},
        {.detailed = false, .ours = true},
        {.detailed = false, .unnamed = true}, /* no rule can concern it */
        {.detailed = false, .unidentified = true},
        {.detailed = true, .incomplete = true},
        {.detailed = true, .in_hand = true},
        {.detailed = true, .named = true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {.policy.incomplete = cases[i].incomplete};
        struct verdict verdict = {.addr = first, .driver = "vfio-pci"};
        put_driver(&v, first, "vfio-pci");
        snapshot_find(&v.snapshot, first)->detailed = cases[i].detailed;
        snapshot_find(&v.snapshot, first)->unidentified = cases[i].unidentified;
        struct record *r = records_get(&v.records, first);
        r->work = cases[i].in_hand ? WORK_RUNNING : WORK_NONE;
        r->override = cases[i].ours ? OVERRIDE_MAYBE : OVERRIDE_NOT_OURS;
        v.plan = (struct plan){.verdicts = &verdict, .n_verdicts = cases[i].named};
        ck_assert_msg(record_seen_plan(&v) == cases[i].unnamed, "case %zu", i);
        ck_assert(records_find(&v.records, first)->unnamed == cases[i].unnamed);
        ck_assert_int_eq(record_seen_plan(&v), 0); /* that is no news the next time */
    }
}
END_TEST

/* What was refused and is away is remembered as long as a rule would want it. */
START_TEST(refusals_of_what_no_rule_names)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = records_get(&v.records, first);

    r->state = RECORD_GONE;
    r->past = (struct record_past){.refused = true, .vendor = 0x10de, .device = 0x20f1};
    v.policy.incomplete = true;
    ck_assert_int_eq(record_seen_plan(&v), 0);
    ck_assert_ptr_nonnull(records_find(&v.records, first));
    v.policy.incomplete = false;
    ck_assert_int_eq(record_seen_plan(&v), 1);
    ck_assert_ptr_null(records_find(&v.records, first));
}
END_TEST

/* Which rule would name it is not known: it may have come along with another device. */
START_TEST(absent_and_perhaps_named)
{
    static const struct {
        const char *rule;
        bool forgotten;
    } cases[] = {{"id = 8086:10d3\n", false},
                 {"id = 10de:20f1\n", false},
                 {"id = 10de:20f1\ndriver = native\n", true}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {0};
        CLEANUP(diags_done) struct diags d = {0};
        char text[128];

        snprintf(text, sizeof(text), "[device x]\n%s", cases[i].rule);
        policy_init(&v.policy);
        ck_assert_int_eq(policy_parse(&v.policy, "x.conf", text, strlen(text), &d), 0);
        policy_finish(&v.policy, &d);
        struct record *r = records_get(&v.records, first);
        r->state = RECORD_GONE;
        r->past = (struct record_past){.released = true, .vendor = 0x10de, .device = 0x20f1};
        ck_assert_msg(record_seen_plan(&v) == cases[i].forgotten, "case %zu", i);
        policy_done(&v.policy);
    }
}
END_TEST

/* A native driver may have had it for long if nobody saw it come. */
START_TEST(came_while_nobody_ran_and_has_a_native_driver)
{
    static const struct {
        const char *driver;
        bool detailed, seen, unused;
    } cases[] = {
        {NULL, true, false, true},      {"vfio-pci", true, false, true},
        {"nvidia", true, false, false}, {NULL, false, false, false}, /* it was not read */
        {NULL, true, true, true},       {"vfio-pci", true, true, true},
        {"nvidia", true, true, true},   {NULL, false, true, true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {0};
        const struct snapshot before = {0};

        v.records.newest = 100;
        put(&v.snapshot, first, 101);
        if (cases[i].driver)
            put_driver(&v, first, cases[i].driver);
        snapshot_find(&v.snapshot, first)->order = 101;
        snapshot_find(&v.snapshot, first)->detailed = cases[i].detailed;
        if (cases[i].seen)
            record_seen_plugged(&v, first);
        else
            record_seen_new_devices(&v, &before);
        const struct record *r = records_find(&v.records, first);
        ck_assert_msg(record_is_plugged(r) && record_is_unused(r) == cases[i].unused, "case %zu",
                      i);
    }
}
END_TEST

/* What came after the boot is known by its number alone. */
START_TEST(what_came_after_the_boot)
{
    CLEANUP(view_done) struct view v = {0};
    struct snapshot before = {0};
    const struct pci_addr third = {0, 8, 0, 0};

    put(&v.snapshot, first, 100);
    v.snapshot.cold_boot = true;
    record_seen_new_devices(&v, &before);
    ck_assert_uint_eq(v.records.newest_at_boot, 0);
    v.snapshot.cold_boot = false;
    record_seen_boot(&v);
    ck_assert_uint_eq(v.records.newest_at_boot, 100);
    put(&v.snapshot, second, 101);
    record_seen_plugged(&v, second);
    record_seen_boot(&v);
    ck_assert_uint_eq(v.records.newest_at_boot, 100);
    records_done(&v.records); /* a restart; of the records none was worth a line */
    v.records.newest = 101;
    v.records.newest_at_boot = 100;
    put(&v.snapshot, third, 102);
    snapshot_find(&v.snapshot, second)->detailed = true;
    record_seen_new_devices(&v, &before);
    ck_assert_ptr_null(records_find(&v.records, first));
    ck_assert(record_is_unused(records_find(&v.records, second)));
    ck_assert(!records_find(&v.records, second)->fresh);
    ck_assert(records_find(&v.records, third)->fresh); /* nobody ran when it came */
}
END_TEST

/* -- what comes and goes -- */

static void view_in(struct view *v, struct tree *t)
{
    tree_init(t);
    *v = (struct view){.root_fd = t->fd};
}

/* "Could not be read" is not "gone". */
START_TEST(only_what_is_known_to_be_gone_is_forgotten)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(view_done) struct view v;
    const struct pci_addr third = {0, 8, 0, 0};

    view_in(&v, &t);
    put(&v.snapshot, first, 1);
    records_get(&v.records, first);
    records_get(&v.records, second)->state = RECORD_RELEASED;
    records_get(&v.records, third)->work = WORK_RUNNING; /* its worker comes back yet */
    tree_write(&t, "sys/bus/pci/devices/0000:07:00.0/config", "");
    ck_assert(record_seen_drop_vanished(&v));
    ck_assert(record_is_released(records_find(&v.records, second)));
    ck_assert(!record_seen_look(&v, second));
    ck_assert(record_is_released(records_find(&v.records, second)));
    ck_assert_int_eq(unlinkat(t.fd, "sys/bus/pci/devices/0000:07:00.0/config", 0), 0);
    ck_assert_int_eq(unlinkat(t.fd, "sys/bus/pci/devices/0000:07:00.0", AT_REMOVEDIR), 0);
    ck_assert(!record_seen_drop_vanished(&v));
    ck_assert(records_find(&v.records, first) && records_find(&v.records, third));
    ck_assert(!records_find(&v.records, second));
}
END_TEST

START_TEST(an_address_that_cannot_be_looked_at_says_nothing)
{
    CLEANUP(view_done) struct view v = {.root_fd = -1}; /* EBADF for each look */

    records_get(&v.records, first)->state = RECORD_RELEASED;
    ck_assert(record_seen_drop_vanished(&v) && !record_seen_look(&v, first));
    ck_assert(records_find(&v.records, first));
}
END_TEST

START_TEST(nobody_used_what_came_after_the_boot)
{
    CLEANUP(view_done) struct view v = {.snapshot.cold_boot = true};

    record_seen_plugged(&v, first);
    ck_assert(!record_is_unused(records_find(&v.records, first)));
    v.snapshot.cold_boot = false;
    record_seen_plugged(&v, second);
    ck_assert(record_is_unused(records_find(&v.records, second)));
}
END_TEST

START_TEST(another_card_begins_anew)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(view_done) struct view v;
    struct record *r;

    view_in(&v, &t);
    r = records_get(&v.records, first);
    r->work = WORK_RUNNING;
    r->binding = BINDING_OURS;
    record_seen_forget(&v, first);
    ck_assert(record_is_replaced(r) && !record_is_owned(r));
    records_get(&v.records, second)->state = RECORD_CONTESTED;
    ck_assert(record_seen_look(&v, second)); /* it is gone */
    ck_assert(!records_find(&v.records, second));
}
END_TEST

START_TEST(looks_are_told)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = records_get(&v.records, first);

    put_driver(&v, first, "vfio-pci");
    add_entry(&v);
    r->fresh = true;
    r->state = RECORD_UNVERIFIED;
    ck_assert(record_seen_look(&v, first));
    ck_assert(r->fresh && r->state == RECORD_OPEN);
    put_driver(&v, first, "nvidia");
    ck_assert(record_seen_look(&v, first) && !r->fresh);
}
END_TEST

START_TEST(events_are_told)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = records_get(&v.records, first);

    put_driver(&v, first, NULL);
    ck_assert(!record_seen_event(&v, HOTPLUG_BIND, second)); /* nothing is known of that */
    ck_assert(!record_seen_event(&v, HOTPLUG_BIND, first));
    ck_assert(record_is_confirmed(r));
    ck_assert(record_seen_event(&v, HOTPLUG_UNBIND, first)); /* it may be on its way out */
    ck_assert(record_is_waiting(r) && r->flaps == 1);
    ck_assert(!record_seen_event(&v, HOTPLUG_ADD, first)); /* that cannot wait */
}
END_TEST

START_TEST(an_iommu_that_comes_is_a_new_beginning)
{
    CLEANUP(view_done) struct view v = {.records.iommu_given_up = true};
    struct device d = {.addr = second, .group = 7};

    put(&v.snapshot, first, 100);
    ck_assert_int_eq(snapshot_put(&v.snapshot, &d), 0);
    *records_get(&v.records, first) = (struct record){
        .addr = first, .state = RECORD_FAILED, .error = EINVAL, .failed_at = ACTION_BIND};
    *records_get(&v.records, second) = (struct record){
        .addr = second, .state = RECORD_FAILED, .error = EINVAL, .failed_at = ACTION_BIND};
    record_seen_iommu(&v);
    ck_assert(!v.records.iommu_given_up);
    ck_assert_int_eq(records_find(&v.records, first)->error, 0);
    ck_assert_int_eq(records_find(&v.records, second)->error, EINVAL); /* it has a group */
}
END_TEST

/* Is the device that had our placeholder until now to be offered again? */
START_TEST(drivers_that_may_have_passed_by)
{
    static const struct {
        uint64_t vfio, nvidia; /* registered with these orders; 0: not */
        uint64_t registering;  /* one that is being registered */
        unsigned hanging;      /* writes of entries */
        enum fact unknown;
        enum record_offer offer; /* then */
        uint64_t drivers;
    } cases[] = {
        {50, 0, 0, 0, FACT_NONE, OFFER_NONE, 50},   {50, 40, 0, 0, FACT_NONE, OFFER_NONE, 50},
        {50, 60, 0, 0, FACT_NONE, OFFER_DUE, 60},   {50, 0, 60, 0, FACT_NONE, OFFER_OWED, 59},
        {50, 60, 55, 0, FACT_NONE, OFFER_OWED, 54}, {50, 60, 0, 0, FACT_DRIVERS, OFFER_OWED, 0},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done)
        struct view v = {.snapshot.registering = cases[i].registering,
                         .snapshot.unknown.fact = cases[i].unknown};
        struct record *r = records_get(&v.records, first);
        r->offer = OFFER_OWED;
        r->offered_to = 50;
        ck_assert_int_eq(snapshot_add_registered(&v.snapshot, "vfio-pci", cases[i].vfio), 0);
        if (cases[i].nvidia)
            ck_assert_int_eq(snapshot_add_registered(&v.snapshot, "nvidia", cases[i].nvidia), 0);
        record_seen_drivers(&v);
        ck_assert_msg(r->offer == cases[i].offer, "case %zu: %d", i, r->offer);
        ck_assert_uint_eq(v.records.drivers, cases[i].drivers);
    }
}
END_TEST

UNIT_MAIN("record-seen", drivers_that_may_have_passed_by, an_iommu_that_comes_is_a_new_beginning,
          first_start, plugged_while_nobody_ran, plugged_while_events_were_lost,
          seen_before_its_own_event_was_lost, a_worker_has_it_in_hand, verdicts_are_told,
          what_no_rule_names, refusals_of_what_no_rule_names, absent_and_perhaps_named,
          came_while_nobody_ran_and_has_a_native_driver, what_came_after_the_boot,
          only_what_is_known_to_be_gone_is_forgotten,
          an_address_that_cannot_be_looked_at_says_nothing, nobody_used_what_came_after_the_boot,
          another_card_begins_anew, looks_are_told, events_are_told)
