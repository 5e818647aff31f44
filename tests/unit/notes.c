/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "notes.h"

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

    return r && r->hotplugged && r->fresh;
}

START_TEST(first_start)
{
    CLEANUP(view_done) struct view v = {0};
    const struct snapshot nothing = {0};

    put(&v.snapshot, first, 100);
    put(&v.snapshot, second, 101);
    notes_new_devices(&v, &nothing);
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
    records_get(&v.records, first)->ours = true;
    records_get(&v.records, second)->ours = true;
    notes_new_devices(&v, &nothing);
    ck_assert(!is_plugged(&v, first) && records_find(&v.records, first)->ours);
    ck_assert(is_plugged(&v, second) && !records_find(&v.records, second)->ours);
    ck_assert_uint_eq(v.records.newest, 102);
}
END_TEST

START_TEST(plugged_while_events_were_lost)
{
    static const struct {
        uint64_t before, now; /* 0: not known, and as `before` not there if `absent` */
        bool absent, plugged;
    } cases[] = {
        {0, 101, true, true},   {101, 101, false, false}, {101, 102, false, true},
        {0, 102, false, false}, {101, 0, false, false},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {.records.newest = 101};
        CLEANUP(snapshot_done) struct snapshot before = {0};
        put(&before, first, 100);
        put(&v.snapshot, first, 100);
        if (!cases[i].absent)
            put(&before, second, cases[i].before);
        put(&v.snapshot, second, cases[i].now);
        records_get(&v.records, second)->contested = true;
        notes_new_devices(&v, &before);
        ck_assert_msg(is_plugged(&v, second) == cases[i].plugged, "case %zu", i);
        ck_assert(records_find(&v.records, second)->contested != cases[i].plugged);
        ck_assert(!is_plugged(&v, first));
    }
}
END_TEST

START_TEST(a_worker_has_it_in_hand)
{
    CLEANUP(view_done) struct view v = {.records.newest = 101};
    CLEANUP(snapshot_done) struct snapshot before = {0};

    put(&before, first, 101);
    put(&v.snapshot, first, 102);
    records_get(&v.records, first)->in_flight = true;
    notes_new_devices(&v, &before);
    ck_assert(records_find(&v.records, first)->in_flight);
    ck_assert(records_find(&v.records, first)->replaced && is_plugged(&v, first));
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
    struct fence_id id;

    ck_assert(fence_parse("10de 20f1 ffffffff ffffffff 0 0 0", &id));
    fence_get(&v->records.fence, &id)->state = FENCE_ARMED;
}

/* The plan of one device that is to be on vfio-pci. */
static struct record *take_plan(struct view *v, const char *driver, enum device_state state)
{
    static struct verdict verdict;

    verdict = (struct verdict){.addr = first, .driver = "vfio-pci", .state = state};
    v->plan = (struct plan){.verdicts = &verdict, .n_verdicts = 1};
    put_driver(v, first, driver);
    ck_assert_int_eq(notes_take_plan(v), 0);
    return records_find(&v->records, first);
}

START_TEST(a_native_driver_has_touched_it)
{
    static const struct {
        const char *driver;
        bool touched;
    } cases[] = {{"nvidia", true}, {"nvgrace_gpu_vfio_pci", false}, {"vfio-pci", false}, {NULL, 0}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {0};
        const struct record *r = take_plan(&v, cases[i].driver, STATE_PENDING);
        ck_assert(r && r->seen_usec > 0 && r->bound_usec == 0);
        ck_assert_msg(r->touched == cases[i].touched, "case %zu", i);
    }
}
END_TEST

START_TEST(bound_at_last)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = records_get(&v.records, first);

    r->seen_usec = 1;
    r->lost = 3;
    r->overridden = true;
    r = take_plan(&v, "vfio-pci", STATE_BOUND);
    ck_assert_uint_eq(r->lost, 0);
    ck_assert_uint_gt(r->bound_usec, 0);
    ck_assert(!r->ours); /* nothing says so */
    add_entry(&v);
    ck_assert_int_eq(notes_take_plan(&v), 0);
    ck_assert(r->ours); /* the fence has bound it */
}
END_TEST

/* -- what comes and goes -- */

START_TEST(vanished_are_forgotten)
{
    CLEANUP(view_done) struct view v = {0};
    const struct pci_addr third = {0, 8, 0, 0};

    put(&v.snapshot, first, 1);
    records_get(&v.records, first);
    records_get(&v.records, second);
    records_get(&v.records, third)->in_flight = true; /* its worker comes back yet */
    notes_drop_vanished(&v);
    ck_assert(records_find(&v.records, first) && records_find(&v.records, third));
    ck_assert(!records_find(&v.records, second));
}
END_TEST

START_TEST(nobody_used_what_came_after_the_boot)
{
    CLEANUP(view_done) struct view v = {.snapshot.cold_boot = true};

    notes_plugged(&v, first);
    ck_assert(!records_find(&v.records, first)->unused_before);
    v.snapshot.cold_boot = false;
    notes_plugged(&v, second);
    ck_assert(records_find(&v.records, second)->unused_before);
}
END_TEST

START_TEST(another_card_begins_anew)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = records_get(&v.records, first);

    r->in_flight = r->confirmed = r->hotplugged = r->fresh = r->unused_before = true;
    notes_forget(&v, first);
    ck_assert(r->replaced && !r->confirmed && !r->hotplugged && !r->fresh && !r->unused_before);
    records_get(&v.records, second)->contested = true;
    notes_look(&v, second); /* it is gone */
    ck_assert(!records_find(&v.records, second));
}
END_TEST

START_TEST(fresh_until_somebody_has_it)
{
    static const struct {
        const char *driver;
        bool entry, fresh;
    } cases[] = {
        {NULL, true, true},         {"nvidia", true, false},
        {"vfio-pci", true, true}, /* by the fence, it seems */
        {"vfio-pci", false, false}, {"mlx5_vfio_pci", true, false},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {0};
        put_driver(&v, first, cases[i].driver);
        if (cases[i].entry)
            add_entry(&v);
        struct record *r = records_get(&v.records, first);
        r->fresh = r->unverified = true;
        notes_look(&v, first);
        ck_assert_msg(r->fresh == cases[i].fresh, "case %zu", i);
        ck_assert_msg(r->unverified == !cases[i].driver, "case %zu", i);
    }
}
END_TEST

/* -- who insists is not fought -- */

START_TEST(contested_after_three_foreign_unbinds)
{
    CLEANUP(view_done) struct view v = {0};
    struct record *r = records_get(&v.records, first);

    for (int i = 1; i <= 3; i++) {
        notes_event(&v, HOTPLUG_BIND, first);
        r->overridden = true;
        ck_assert(r->confirmed && !r->contested);
        notes_event(&v, HOTPLUG_UNBIND, first);
        ck_assert(!r->confirmed && !r->overridden);
        ck_assert(r->contested == (i == 3));
    }
}
END_TEST

START_TEST(unbinds_that_are_no_contest)
{
    static const struct {
        bool confirmed, in_flight, released;
        unsigned pause_s;
    } cases[] = {
        {true, true, false, 0},   /* ours */
        {true, false, true, 0},   /* asked for */
        {false, false, false, 0}, /* from another driver */
        {true, false, false, 61},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {0};
        struct record *r = records_get(&v.records, first);
        r->in_flight = cases[i].in_flight;
        r->released = cases[i].released;
        for (int k = 0; k < 5; k++) {
            r->confirmed = cases[i].confirmed;
            notes_event(&v, HOTPLUG_UNBIND, first);
            ck_assert_msg(!r->contested, "case %zu", i);
            r->flap_usec -= cases[i].pause_s * 1000000ULL;
        }
    }
}
END_TEST

/* -- what a new policy drops -- */

START_TEST(dropped_is_what_we_bound_and_no_rule_names)
{
    static const struct {
        const char *driver;
        bool ours, dropped;
    } cases[] = {
        {"vfio-pci", true, true},
        {"vfio-pci", false, false},
        {"nvidia", true, false},
        {NULL, true, false},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(view_done) struct view v = {0};
        put_driver(&v, first, cases[i].driver);
        records_get(&v.records, first)->ours = cases[i].ours;
        ck_assert_msg(notes_dropped(&v) == cases[i].dropped, "case %zu", i);
        ck_assert(records_find(&v.records, first)->dropped == cases[i].dropped);
        struct verdict selected = {.addr = first};
        v.plan = (struct plan){.verdicts = &selected, .n_verdicts = 1};
        ck_assert(!notes_dropped(&v) && !records_find(&v.records, first)->dropped);
    }
}
END_TEST

START_TEST(an_iommu_that_comes_is_a_new_beginning)
{
    CLEANUP(view_done) struct view v = {.records.iommu_given_up = true};
    struct device d = {.addr = second, .group = 7};

    put(&v.snapshot, first, 100);
    ck_assert_int_eq(snapshot_put(&v.snapshot, &d), 0);
    records_get(&v.records, first)->error = EINVAL;
    records_get(&v.records, second)->error = EINVAL; /* of other causes: it has a group */
    notes_iommu(&v);
    ck_assert(!v.records.iommu_given_up);
    ck_assert_int_eq(records_find(&v.records, first)->error, 0);
    ck_assert_int_eq(records_find(&v.records, second)->error, EINVAL);
}
END_TEST

UNIT_MAIN("notes", an_iommu_that_comes_is_a_new_beginning, first_start, plugged_while_nobody_ran,
          plugged_while_events_were_lost, a_worker_has_it_in_hand, a_native_driver_has_touched_it,
          bound_at_last, vanished_are_forgotten, nobody_used_what_came_after_the_boot,
          another_card_begins_anew, fresh_until_somebody_has_it,
          contested_after_three_foreign_unbinds, unbinds_that_are_no_contest,
          dropped_is_what_we_bound_and_no_rule_names)
