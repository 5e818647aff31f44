/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

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

UNIT_MAIN("notes", first_start, plugged_while_nobody_ran, plugged_while_events_were_lost,
          a_worker_has_it_in_hand)
