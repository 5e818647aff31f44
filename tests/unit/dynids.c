/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of vfio-pci's table a rule calls for. */
#include "unit.h"

#include <errno.h>

#include "model.h"
#include "plan/make.h"
#include "plan/rule-ids.h"
#include "policy/parse.h"

static void read_policy(struct policy *p, const char *text)
{
    CLEANUP(diags_done) struct diags d = {0};

    policy_init(p);
    ck_assert_int_eq(policy_parse(p, "x.conf", text, strlen(text), &d), 0);
    policy_finish(p, &d);
    ck_assert_msg(d.errors == 0, "%s", d.n ? d.v[0].text : "");
}

/* The patterns lie in memory that is no longer than they are: sanitizers see a read beyond. */
START_TEST(entries_of_a_rule)
{
    static const struct {
        const char *keys, *entries;
        bool narrowed;
    } cases[] = {
        {"id = 10de:20f1", "10de 20f1 ffffffff ffffffff 0 0 0;", false},
        {"id = 10de:*", "10de ffffffff ffffffff ffffffff 0 0 0;", false},
        {"class = 03", "ffffffff ffffffff ffffffff ffffffff 30000 ff0000 0;", false},
        {"class = 030", "ffffffff ffffffff ffffffff ffffffff 30000 fff000 0;", false},
        {"class = 0302", "ffffffff ffffffff ffffffff ffffffff 30200 ffff00 0;", false},
        {"class = 03020", "ffffffff ffffffff ffffffff ffffffff 30200 fffff0 0;", false},
        {"class = 0c0330", "ffffffff ffffffff ffffffff ffffffff c0330 ffffff 0;", false},
        {"class = 0?\nid = 10de:20f1", "10de 20f1 ffffffff ffffffff 0 0 0;", true},
        {"id = 10de:20f1\nsubsystem = 10de:1463", "10de 20f1 10de 1463 0 0 0;", false},
        {"id = 10de:20f1\naddress = 0000:06:00.0", "10de 20f1 ffffffff ffffffff 0 0 0;", true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(policy_done) struct policy p;
        CLEANUP_FREE char *text = NULL;
        struct dynid ids[4];
        char found[256] = "";
        bool narrowed;
        ck_assert(asprintf(&text, "[device a]\n%s\n", cases[i].keys) > 0);
        read_policy(&p, text);
        size_t n = dynids_of_rule(&p.rules[0], ids, ELEMENTS(ids), &narrowed);
        for (size_t k = 0; k < n; k++)
            strcat(strcat(found, dynid_text(&ids[k]).s), ";");
        ck_assert_str_eq(found, cases[i].entries);
        ck_assert_msg(narrowed == cases[i].narrowed, "%s", cases[i].keys);
    }
}
END_TEST

/* -- what becomes of the kernel's table -- */

struct host {
    struct policy policy;
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    struct model model;
};

static void host_init(struct host *h)
{
    *h = (struct host){0};
    policy_init(&h->policy);
    ck_assert_int_eq(snapshot_add_registered(&h->snapshot, DYNID_DRIVER, 50), 0);
    h->records.dynids.order = 50;
    model_init(&h->model, &h->snapshot, &h->records, &h->plan);
}

static void host_done(struct host *h)
{
    plan_done(&h->plan);
    records_done(&h->records);
    snapshot_done(&h->snapshot);
    policy_done(&h->policy);
}

static size_t plan_again(struct host *h)
{
    plan_done(&h->plan);
    ck_assert_int_eq(plan_make(&h->policy, &h->snapshot, &h->records, &h->plan), 0);
    return h->plan.n_actions;
}

/* A reload. Each rule is a line. */
static void take_policy(struct host *h, const char *const *rules)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    for (unsigned i = 0; rules[i]; i++)
        fprintf(f, "[device r%u]\nhotplug = prevent\n%s\n", i, rules[i]);
    fclose(f);
    policy_done(&h->policy);
    read_policy(&h->policy, text);
    free(text);
    dynids_retry(&h->records.dynids);
    (void)plan_again(h);
}

/* As many as vfio-bindd.conf(5) promises, whether one rule has them or several. */
START_TEST(a_rule_of_many_ids)
{
    CLEANUP(host_done) struct host h;
    char rule[2048] = "id = 1000:0000";
    const char *rules[] = {rule, NULL};
    size_t n = 0;

    host_init(&h);
    for (unsigned i = 1; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof(id), ", 1000:%04x", i);
        strcat(rule, id);
    }
    take_policy(&h, rules);
    for (size_t i = 0; i < h.plan.n_actions; i++)
        n += h.plan.actions[i].kind == ACTION_NEW_ID;
    ck_assert_uint_eq(n, 100);
}
END_TEST

/* The table holds what the rules call for, and nothing else. */
static void check_table(struct host *h, const char *when)
{
    size_t wanted = 0;

    ck_assert_msg(model_table_is_on_record(&h->model), "%s: %s", when, h->model.why);
    for (size_t i = 0; i < h->policy.n_rules; i++) {
        struct dynid ids[4];
        bool narrowed;
        size_t n = dynids_of_rule(&h->policy.rules[i], ids, ELEMENTS(ids), &narrowed);
        for (size_t k = 0; k < n; k++, wanted++)
            ck_assert_msg(model_table_find(&h->model, &ids[k]) < h->model.table.n_ids,
                          "%s: %s is missing", when, dynid_words(&ids[k]).s);
    }
    ck_assert_msg(h->model.table.n_ids == wanted, "%s: %zu entries, not %zu", when,
                  h->model.table.n_ids, wanted);
}

#define STEPS_MAX 6

static const struct {
    const char *steps[STEPS_MAX][4];
} reloads[] = {
    {{{"class = 0302"}, {"class = 0302", "class = 03"}, {"class = 0302"}}},
    {{{"class = 03"}, {"class = 0302", "class = 03"}, {"class = 0302"}, {"class = 03"}}},
    {{{"class = 03"}, {"class = 0300"}, {"class = 030", "class = 03"}, {"class = 030"}}},
    {{{"id = 10de:20f1\nsubsystem = 10de:1463\nclass = 0302"},
      {"id = 10de:20f1\nsubsystem = 10de:1463"},
      {"id = 10de:20f1\nsubsystem = 10de:1463\nclass = 0302"},
      {"id = 10de:20f1"},
      {"id = 10de:20f1\nsubsystem = 10de:1463"}}},
    {{{"id = 10de:20f1\nclass = 0302", "id = 10de:20f1\nsubsystem = 10de:1463"},
      {"id = 10de:20f1\nclass = 0302", "id = 10de:20f1"},
      {"id = 10de:20f1\nsubsystem = 10de:1463", "id = 10de:20f1\nclass = 0302"},
      {"id = 10de:20f1\nclass = 03", "id = 10de:*"},
      {"id = 10de:20f1\nclass = 0302"}}},
};

START_TEST(reloads_leave_what_is_wanted)
{
    for (size_t i = 0; i < ELEMENTS(reloads); i++) {
        CLEANUP(host_done) struct host h;
        host_init(&h);
        for (unsigned k = 0; k < STEPS_MAX; k++) {
            char when[32];
            snprintf(when, sizeof(when), "case %zu, step %u", i, k);
            take_policy(&h, reloads[i].steps[k]);
            ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
            check_table(&h, when);
            ck_assert_msg(plan_again(&h) == 0, "%s: actions are left", when);
        }
    }
}
END_TEST

/* A reload, and the daemon dies after each number of actions; the next run puts it right. */
START_TEST(nor_does_a_crash)
{
    for (size_t i = 0; i < ELEMENTS(reloads) * 8; i++) {
        CLEANUP(host_done) struct host h;
        host_init(&h);
        for (unsigned k = 0; k < STEPS_MAX; k++) {
            take_policy(&h, reloads[i / 8].steps[k]);
            ck_assert_msg(model_apply(&h.model, &h.plan, i % 8), "%s", h.model.why);
            ck_assert_msg(model_table_is_on_record(&h.model), "%s", h.model.why);
            (void)plan_again(&h);
            ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
            check_table(&h, "after a crash");
            ck_assert_uint_eq(plan_again(&h), 0);
        }
    }
}
END_TEST

/* It is left until somebody asks for another try, and the table stays on record. */
START_TEST(a_removal_that_fails)
{
    for (size_t i = 0; i < ELEMENTS(reloads); i++) {
        CLEANUP(host_done) struct host h;
        host_init(&h);
        for (unsigned k = 0; k + 1 < STEPS_MAX; k++) {
            take_policy(&h, reloads[i].steps[k]);
            ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
            h.model.remove_error = EROFS;
            take_policy(&h, reloads[i].steps[k + 1]);
            ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
            ck_assert_msg(model_table_is_on_record(&h.model), "%s", h.model.why);
            ck_assert_msg(plan_again(&h) == 0, "case %zu, step %u: tried again", i, k);
            h.model.remove_error = 0;
            dynids_retry(&h.records.dynids);
            (void)plan_again(&h);
            ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
            check_table(&h, "after a retry");
        }
    }
}
END_TEST

/* Another policy wants the same entry, but narrowed: it has to go at a stop from now on. */
START_TEST(a_rule_that_is_narrowed_later)
{
    CLEANUP(host_done) struct host h;

    host_init(&h);
    take_policy(&h, (const char *[]){"id = 10de:20f1", NULL});
    ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
    ck_assert(!h.records.dynids.v[0].narrowed);
    take_policy(&h, (const char *[]){"id = 10de:20f1\naddress = 0000:06:00.0", NULL});
    ck_assert_msg(model_apply(&h.model, &h.plan, h.plan.n_actions), "%s", h.model.why);
    ck_assert_uint_eq(h.records.dynids.n, 1);
    ck_assert(h.records.dynids.v[0].narrowed);
    check_table(&h, "narrowed");
    ck_assert_uint_eq(plan_again(&h), 0);
}
END_TEST

UNIT_MAIN("dynids", entries_of_a_rule, a_rule_of_many_ids, reloads_leave_what_is_wanted,
          nor_does_a_crash, a_removal_that_fails, a_rule_that_is_narrowed_later)
