/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of the plan over random hosts, policies and records.
 *
 * usage: properties [ROUNDS [SEED]]
 *
 * Round i uses the seed SEED + i, so what a failure prints is repeated by "properties 1 SEED". */
#include "unit.h"

#include "host.h"
#include "laws.h"
#include "model.h"
#include "model/snapshot-text.h"
#include "plan/make.h"
#include "plan/text.h"
#include "policy/parse.h"

static unsigned rounds = 600;
static uint64_t first_seed = 1;

struct round {
    uint64_t seed;
    char *policy_text, *snapshot_text, *records_text;
    struct policy policy;
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
};

/* -- making a round -- */

static char *snapshot_text(const struct snapshot *s)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(snapshot_write(s, f), 0);
    fclose(f);
    return text;
}

static char *plan_text(const struct plan *plan, const struct snapshot *s, const struct records *r)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(f);
    plan_write(plan, s, r, f);
    fclose(f);
    return text;
}

static char *records_text(const struct records *records)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(f);
    if (records->iommu_given_up)
        fputs("iommu given up\n", f);
    for (size_t i = 0; i < records->n; i++) {
        const struct record *r = &records->v[i];
        fprintf(f, "%s%s%s%s%s%s%s%s%s%s%s%s%s", pci_addr_text(r->addr).s,
                record_is_confirmed(r) ? " confirmed" : "",
                record_is_overridden(r) ? " overridden" : "", r->touched ? " touched" : "",
                record_is_plugged(r) ? " hotplugged" : "",
                record_is_unused(r) ? " unused-before" : "",
                record_is_in_hand(r) ? " in-flight" : "", record_is_stuck(r) ? " stuck" : "",
                record_is_released(r) ? " released" : "",
                record_is_handed_back(r) ? " handed-back" : "",
                record_is_contested(r) ? " contested" : "",
                record_is_unverified(r) ? " unverified" : "",
                r->offer == OFFER_DUE ? " offer-due" : "");
        if (r->error)
            fprintf(f, " error=%d at %s", r->error, action_word(r->failed_at));
        if (record_vfs_is_owned(&r->vfs) || r->vfs.tried || r->vfs.released || r->vfs.error)
            fprintf(f, " made=%u%s%s%s vfs-error=%d", r->vfs.made,
                    r->vfs.autoprobe_off ? " autoprobe-off" : "", r->vfs.tried ? " tried" : "",
                    r->vfs.released ? " vfs-released" : "", r->vfs.error);
        fputc('\n', f);
    }
    fclose(f);
    return text;
}

static void round_init(struct round *r, uint64_t seed)
{
    CLEANUP(diags_done) struct diags d = {0};
    struct dice dice = {seed * 0x2545f4914f6cdd1dU};

    struct dice vfs_dice = {seed * 0x9e3779b97f4a7c15U};
    const bool sriov = seed % 3 == 0;

    *r = (struct round){.seed = seed};
    policy_init(&r->policy);
    host_make(&dice, &r->snapshot);
    if (sriov)
        host_add_sriov(&vfs_dice, &r->snapshot);
    r->policy_text = host_policy(&dice, &r->snapshot);
    if (sriov)
        r->policy_text = host_vfs_policy(&vfs_dice, &r->snapshot, r->policy_text);
    ck_assert_int_eq(
        policy_parse(&r->policy, "random.conf", r->policy_text, strlen(r->policy_text), &d), 0);
    policy_finish(&r->policy, &d);
    host_records(&dice, &r->snapshot, &r->records);
    if (sriov)
        host_vfs_records(&vfs_dice, &r->snapshot, &r->records);
    r->snapshot_text = snapshot_text(&r->snapshot);
    r->records_text = records_text(&r->records);
    ck_assert_int_eq(plan_make(&r->policy, &r->snapshot, &r->records, &r->plan), 0);
}

static void round_done(struct round *r)
{
    free(r->policy_text);
    free(r->snapshot_text);
    free(r->records_text);
    plan_done(&r->plan);
    records_done(&r->records);
    snapshot_done(&r->snapshot);
    policy_done(&r->policy);
}

static void give_up(const struct round *r, const struct plan *plan, const char *why)
{
    CLEANUP_FREE char *text = plan_text(plan, &r->snapshot, &r->records);

    fprintf(stderr, "--- policy\n%s--- snapshot\n%s--- records\n%s--- plan\n%s", r->policy_text,
            r->snapshot_text, r->records_text, text);
    ck_abort_msg("seed %llu: %s", (unsigned long long)r->seed, why);
}

/* -- properties -- */

static void replan(struct round *r)
{
    char why[256];

    plan_done(&r->plan);
    ck_assert_int_eq(plan_make(&r->policy, &r->snapshot, &r->records, &r->plan), 0);
    if (!laws_hold(&r->policy, &r->snapshot, &r->records, &r->plan, why))
        give_up(r, &r->plan, why);
}

/* Has a worker work for the device, or for one of its group that is to go back with it? */
static bool is_waiting(const struct round *r, const struct device *d)
{
    for (size_t i = 0; i < r->snapshot.n; i++) {
        const struct device *other = &r->snapshot.devices[i];
        const struct record *record = records_find(&r->records, other->addr);
        if (record && record_is_in_hand(record) &&
            (other == d || (other->group == d->group && d->group != NO_GROUP)))
            return true;
    }
    return false;
}

/* Is a device left to its native driver for want of an IOMMU? With a driver it may be one that the
 * host lives on, and then its dynamic ID goes as well, in a plan of its own. */
static bool surrenders(const struct round *r)
{
    for (size_t i = 0; i < r->plan.n_actions; i++) {
        const struct action *a = &r->plan.actions[i];
        const struct verdict *v = plan_find(&r->plan, a->addr);
        if (a->kind == ACTION_PROBE && v && v->reason == REASON_NO_IOMMU)
            return true;
    }
    return false;
}

/* What is made needs a plan of its own, and so does what is left to native drivers then. */
static bool changes_vfs(const struct round *r)
{
    for (size_t i = 0; i < r->plan.n_actions; i++)
        if (r->plan.actions[i].phase == PHASE_VFS)
            return true;
    return false;
}

/* After applying there is nothing to do, and what was to be done is done. */
static void converges(struct round *r, struct model *m)
{
    const struct record_event time = {.kind = RECORD_EVENT_TIME, .now_usec = UINT64_MAX};
    char why[300];
    unsigned passes = 0, passes_max = surrenders(r) ? 3 : 2; /* some wait for a moment */

    if (changes_vfs(r))
        passes_max += 4;
    do {
        if (!model_apply(m, &r->plan, r->plan.n_actions) || !model_table_is_on_record(m))
            give_up(r, &r->plan, m->why);
        records_apply_all(&r->records, &time);
        replan(r);
        model_take_vfs(m, &r->plan);
        if (changes_vfs(r))
            passes_max = 8;
    } while (r->plan.n_actions > 0 && ++passes < passes_max);
    if (r->plan.n_actions > 0)
        give_up(r, &r->plan, "actions are left after applying");
    for (size_t i = 0; i < r->plan.n_verdicts; i++) {
        const struct verdict *v = &r->plan.verdicts[i];
        const struct device *d = snapshot_find(&r->snapshot, v->addr);
        if (v->state != STATE_PENDING || is_waiting(r, d))
            continue;
        if (v->reason == REASON_IOMMU_AWAITED &&
            (d->driver || streq_null(model_override(m, d->addr), v->driver)))
            continue; /* for its IOMMU, and no native driver gets it meanwhile */
        snprintf(why, sizeof(why), "%s is pending for ever", pci_addr_text(d->addr).s);
        give_up(r, &r->plan, why);
    }
}

START_TEST(laws_and_convergence)
{
    for (unsigned i = 0; i < rounds; i++) {
        CLEANUP(round_done) struct round r;
        struct model m;
        char why[256];

        round_init(&r, first_seed + i);
        if (!laws_hold(&r.policy, &r.snapshot, &r.records, &r.plan, why))
            give_up(&r, &r.plan, why);
        model_init(&m, &r.snapshot, &r.records, &r.plan);
        converges(&r, &m);
    }
}
END_TEST

/* What outlives the process; see daemon/record-file.h. */
static void restart(struct records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        struct record *r = &records->v[i];
        if (r->state == RECORD_RELEASE_FAILED)
            r->state = RECORD_RELEASING;
        else if (r->state == RECORD_FAILED || r->state == RECORD_UNVERIFIED)
            r->state = RECORD_OPEN;
        r->error = 0;
        if (record_is_overridden(r))
            r->override = OVERRIDE_MAYBE;
        r->binding = r->binding == BINDING_OURS || r->binding == BINDING_CLAIMED ? BINDING_CLAIMED
                                                                                 : BINDING_UNKNOWN;
        if (record_is_in_hand(r))
            r->work = WORK_STUCK;
        r->not_before_usec = 0;
        r->vfs.tried = false;
        r->vfs.error = 0;
        r->fresh = r->unnamed = false;
    }
}

static void check_released(const struct round *r, const struct model *m)
{
    char why[300];

    for (size_t i = 0; i < r->plan.n_verdicts; i++) {
        const struct verdict *v = &r->plan.verdicts[i];
        const struct device *d = snapshot_find(&r->snapshot, v->addr);
        const char *override = model_override(m, d->addr);
        if (v->state != STATE_RELEASED || !override || d->unknown.fact != FACT_NONE)
            continue;
        snprintf(why, sizeof(why), "%s is released, its override is still %s",
                 pci_addr_text(d->addr).s, override);
        give_up(r, &r->plan, why);
    }
}

/* An IOMMU that does not come: whatever was kept for it loses our override. One that comes: it is
 * bound. */
START_TEST(awaited)
{
    for (unsigned i = 0; i < 2 * rounds; i++) {
        CLEANUP(round_done) struct round r;
        struct model m;
        bool comes = i % 2;

        round_init(&r, first_seed + i / 2);
        r.records.iommu_given_up = false;
        replan(&r);
        model_init(&m, &r.snapshot, &r.records, &r.plan);
        converges(&r, &m);
        r.records.iommu_given_up = !comes;
        for (size_t k = 0; k < r.snapshot.n; k++)
            if (comes && r.snapshot.devices[k].iommu == OUTLOOK_AWAITED)
                r.snapshot.devices[k].iommu = OUTLOOK_AT_BIND;
        replan(&r);
        converges(&r, &m);
        for (size_t k = 0; k < r.plan.n_verdicts; k++) {
            const struct verdict *v = &r.plan.verdicts[k];
            const struct device *d = snapshot_find(&r.snapshot, v->addr);
            if (v->reason == REASON_IOMMU_AWAITED)
                give_up(&r, &r.plan, "a device is kept for what came, or does not come");
            const struct record *record = records_find(&r.records, v->addr);
            const bool tried = record && record->error && record->failed_at == ACTION_CLEAR;
            if (v->reason == REASON_NO_IOMMU && !d->driver && !is_waiting(&r, d) && !tried &&
                streq_null(model_override(&m, d->addr), v->driver))
                give_up(&r, &r.plan, "a device without IOMMU keeps its override");
        }
    }
}
END_TEST

/* Without a record that says it was bound, such a device holds back its group. */
static bool any_unknown(const struct round *r)
{
    const struct device *d;
    int error;

    return snapshot_unknown(&r->snapshot, &d, &error) != FACT_NONE;
}

static bool is_virtual(const struct round *r, struct pci_addr a)
{
    const struct device *d = snapshot_find(&r->snapshot, a);

    return d && d->vf;
}

/* Killed after any number of actions and started again, it comes to an end, and has lost nothing:
 * what is bound after the whole plan is bound then, too. */
START_TEST(killed_at_every_action)
{
    for (unsigned i = 0; i < rounds; i++) {
        CLEANUP(round_done) struct round whole;
        struct model m;

        round_init(&whole, first_seed + i);
        size_t n = whole.plan.n_actions;
        model_init(&m, &whole.snapshot, &whole.records, &whole.plan);
        converges(&whole, &m);
        for (size_t k = 0; k < n; k++) {
            CLEANUP(round_done) struct round r;
            round_init(&r, first_seed + i);
            model_init(&m, &r.snapshot, &r.records, &r.plan);
            if (!model_apply(&m, &r.plan, k) || !model_table_is_on_record(&m))
                give_up(&r, &r.plan, m.why);
            restart(&r.records);
            replan(&r);
            converges(&r, &m);
            check_released(&r, &m);
            for (size_t j = 0; j < whole.plan.n_verdicts; j++) {
                const struct verdict *then = &whole.plan.verdicts[j];
                const struct verdict *now = plan_find(&r.plan, then->addr);
                if (!now && is_virtual(&whole, then->addr))
                    continue; /* after a restart another number may be made */
                if (then->state == STATE_BOUND && !(then->problems & PROBLEM_UNREADABLE) &&
                    !(now->problems & PROBLEM_UNREADABLE) &&
                    !(now->reason == REASON_GROUP_MEMBER_REFUSED && any_unknown(&r)) &&
                    now->state != STATE_BOUND)
                    give_up(&r, &r.plan, "a device was lost");
            }
        }
    }
}
END_TEST

START_TEST(text_round_trip)
{
    for (unsigned i = 0; i < rounds; i++) {
        CLEANUP(round_done) struct round r;
        CLEANUP(snapshot_done) struct snapshot again = {0};
        CLEANUP(plan_done) struct plan plan = {0};
        unsigned line = 0;

        round_init(&r, first_seed + i);
        ck_assert_msg(snapshot_read(&again, r.snapshot_text, &line) == 0, "line %u of\n%s", line,
                      r.snapshot_text);
        CLEANUP_FREE char *text = snapshot_text(&again);
        ck_assert_str_eq(text, r.snapshot_text);
        ck_assert_int_eq(plan_make(&r.policy, &again, &r.records, &plan), 0);
        CLEANUP_FREE char *before = plan_text(&r.plan, &r.snapshot, &r.records),
                          *after = plan_text(&plan, &again, &r.records);
        if (!streq(before, after))
            give_up(&r, &plan, "the plan over the snapshot's text is another");
    }
}
END_TEST

/* A device that no rule names, in a slot and group of its own, changes nothing for the others. */
START_TEST(strangers_change_nothing)
{
    for (unsigned i = 0; i < rounds; i++) {
        CLEANUP(round_done) struct round r;
        CLEANUP(plan_done) struct plan plan = {0};
        struct device d = {.addr = {0, 0, 1, 0},
                           .vendor = 0xeeee,
                           .class_code = 0xff0000,
                           .detailed = true,
                           .group = 9999,
                           .driver = "stranger"};

        round_init(&r, first_seed + i);
        if (policy_match(&r.policy, &d))
            continue;
        CLEANUP_FREE char *before = plan_text(&r.plan, &r.snapshot, &r.records), *after = NULL;
        ck_assert_int_eq(snapshot_put(&r.snapshot, &d), 0);
        ck_assert_int_eq(plan_make(&r.policy, &r.snapshot, &r.records, &plan), 0);
        after = plan_text(&plan, &r.snapshot, &r.records);
        if (!streq(before, after))
            give_up(&r, &plan, "another plan because of a stranger");
    }
}
END_TEST

/* Or all of the above says little: the hosts must have what it is about. */
START_TEST(hosts_are_dense)
{
    unsigned states[STATE_MAX] = {0}, reasons[REASON_MAX] = {0}, actions[ACTION_MAX] = {0};
    unsigned usable = 0;

    for (unsigned i = 0; i < 1000; i++) {
        CLEANUP(round_done) struct round r;
        round_init(&r, first_seed + i);
        for (size_t j = 0; j < r.plan.n_verdicts; j++) {
            states[r.plan.verdicts[j].state]++;
            reasons[r.plan.verdicts[j].reason]++;
            usable += r.plan.verdicts[j].usable;
        }
        for (size_t j = 0; j < r.plan.n_vfs; j++)
            reasons[r.plan.vfs[j].reason]++;
        for (size_t j = 0; j < r.plan.n_actions; j++)
            actions[r.plan.actions[j].kind]++;
    }
    for (unsigned i = 0; i < STATE_MAX; i++)
        ck_assert_msg(states[i] >= 3, "state %s: %u", state_word((enum device_state)i), states[i]);
    for (unsigned i = 0; i < REASON_MAX; i++)
        ck_assert_msg(reasons[i] >= 3, "reason %s: %u", reason_word((enum reason)i), reasons[i]);
    for (unsigned i = 0; i < ACTION_MAX; i++)
        ck_assert_msg(actions[i] >= 3, "action %s: %u", action_word((enum action_kind)i),
                      actions[i]);
    ck_assert_uint_ge(usable, 3);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {laws_and_convergence,     awaited,
                                  killed_at_every_action,   text_round_trip,
                                  strangers_change_nothing, hosts_are_dense};

    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    Suite *suite = suite_create("properties");
    TCase *tcase = tcase_create("properties");
    tcase_set_timeout(tcase, argc > 1 ? 0 : 60); /* asked for more, it may take longer */
    for (size_t i = 0; i < ELEMENTS(tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
