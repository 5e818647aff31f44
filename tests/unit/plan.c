/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan outlives what it was made from: between two plans hot-plug changes the snapshot and the
 * records, a reload the policy, and whoever asks on the bus meanwhile is shown the plan. Sanitizers
 * see what is read after its end. */
#include "unit.h"

#include "model/snapshot-text.h"
#include "plan/alike.h"
#include "plan/make.h"
#include "plan/text.h"
#include "policy/parse.h"

static const char policy_text[] = "[device nic]\nid = 15b3:101e\ndriver = auto\n"
                                  "address = 0000:03:00.*\n"
                                  "[device gpu]\nid = 10de:20f1\n"
                                  "[device old]\nid = 10de:2204\n";
static const char snapshot_text[] =
    "snapshot cold-boot=0 unsafe-noiommu=0\n"
    "registered vfio-pci order=50\nregistered nvidia order=20\nregistered mlx5_vfio_pci order=60\n"
    "device 0000:03:00.1 id=15b3:101e class=020000 detailed=1 vf=1 group=31 node=1 driver=vfio-pci"
    " module=mlx5_vfio_pci variant=mlx5_vfio_pci\n"
    "device 0000:03:00.2 id=15b3:101e class=020000 detailed=1 vf=1 group=32 driver=mlx5_core"
    " module=mlx5_vfio_pci variant=mlx5_vfio_pci\n"
    "device 0000:06:00.0 id=10de:20f1 class=030200 detailed=1 group=14 node=1 driver=vfio-pci\n"
    "device 0000:07:00.0 id=10de:20f1 class=030200 detailed=1 group=14 node=1 driver=nvidia"
    " use=is%20in%20use\n"
    "device 0000:08:00.0 id=10de:2204 class=030200 detailed=1 group=15 node=1 driver=vfio-pci\n"
    "device 0000:09:00.0 id=10de:20f1 class=030200 detailed=1 group=16\n";

struct host {
    struct policy policy;
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
};

static void host_init(struct host *h)
{
    static const char *const addresses[] = {"0000:03:00.1", "0000:03:00.2", "0000:06:00.0",
                                            "0000:08:00.0", "0000:09:00.0"};
    CLEANUP(diags_done) struct diags d = {0};
    unsigned line;

    *h = (struct host){0};
    policy_init(&h->policy);
    ck_assert_int_eq(policy_parse(&h->policy, "x.conf", policy_text, strlen(policy_text), &d), 0);
    policy_finish(&h->policy, &d);
    ck_assert_uint_eq(d.errors, 0);
    ck_assert_msg(snapshot_read(&h->snapshot, snapshot_text, &line) == 0, "line %u", line);
    for (size_t i = 0; i < ELEMENTS(addresses); i++) {
        struct pci_addr a;
        ck_assert_int_eq(pci_addr_parse(addresses[i], &a), 0);
        struct record *r = records_get(&h->records, a);
        r->binding = BINDING_FOUND;
        r->previous_driver = strdup("nvidia");
        if (a.bus == 8) {
            r->state = RECORD_RELEASING;
            r->override = OVERRIDE_MAYBE;
        }
    }
    h->records.dynids.order = 50;
    ck_assert_int_eq(plan_make(&h->policy, &h->snapshot, &h->records, &h->plan), 0);
    ck_assert_uint_ge(h->plan.n_actions, 8);
    ck_assert_uint_eq(h->plan.n_verdicts, 6);
}

static void host_done(struct host *h)
{
    plan_done(&h->plan);
    records_done(&h->records);
    snapshot_done(&h->snapshot);
    policy_done(&h->policy);
}

/* All that the bus and the journal read of a plan. */
static char *read_all(const struct host *h)
{
    char *text = NULL, sentence[SENTENCE_MAX];
    size_t size;
    FILE *f = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(f);
    plan_write(&h->plan, &h->snapshot, &h->records, f);
    for (size_t i = 0; i < h->plan.n_actions; i++) {
        action_sentence(&h->plan.actions[i], &h->plan, &h->snapshot, &h->records, sentence);
        fprintf(f, "%s %s\n", h->plan.actions[i].driver, sentence);
    }
    for (size_t i = 0; i < h->plan.n_verdicts; i++) {
        const struct verdict *v = &h->plan.verdicts[i];
        fprintf(f, "%s %s %s\n", v->rule->name, v->driver, v->earlier ? v->earlier : "");
        if (v->problems & PROBLEM_GROUP_NOT_VIABLE)
            fprintf(f, "%s\n", v->other_driver);
    }
    fclose(f);
    return text;
}

START_TEST(alike_but_for_address_and_id)
{
    const struct device x = {.addr = {0, 2, 0, 0}, .vendor = 0x144d, .device = 0xa80a};
    const struct device y = {.addr = {0, 3, 0, 0}, .vendor = 0x144d, .device = 0xa80b};

    ck_assert(sentences_are_alike("0000:02:00.0 (144d:a80a, rule x) failed: no", &x,
                                  "0000:03:00.0 (144d:a80b, rule x with 0000:04:00.0) failed: no",
                                  &y));
    ck_assert(sentences_are_alike("0000:02:00.0 is bound, but 144d:a80a (in use)", &x,
                                  "0000:03:00.0 is bound, but 144d:a80b (in use)", &y));
    ck_assert(!sentences_are_alike("0000:02:00.0 (144d:a80a, rule x) failed: no", &x,
                                   "0000:03:00.0 (144d:a80b, rule x) failed: not", &y));
    ck_assert(!sentences_are_alike("0000:02:00.0 is bound, but 0000:09:00.0 is not", &x,
                                   "0000:03:00.0 is bound, but 0000:0a:00.0 is not", &y));
}
END_TEST

/* The driver's names, the order and the number of devices: all of it changes under the plan. */
START_TEST(hot_plug_under_a_plan)
{
    CLEANUP(host_done) struct host h;

    host_init(&h);
    CLEANUP_FREE char *before = read_all(&h);
    while (h.snapshot.n > 1)
        snapshot_remove(&h.snapshot, h.snapshot.devices[0].addr);
    const struct device d = {.addr = {0, 1, 0, 0}, .vendor = 0x1234, .group = NO_GROUP};
    ck_assert_int_eq(snapshot_put(&h.snapshot, &d), 0);
    records_done(&h.records);
    CLEANUP_FREE char *after = read_all(&h);
    ck_assert_str_ne(before, after);
    /* the actions name the same devices, and nobody is taken for another one */
    ck_assert_ptr_nonnull(strstr(after, "0000:03:00.1 hold-group"));
    ck_assert_ptr_nonnull(strstr(after, "0000:03:00.1 bind mlx5_vfio_pci"));
    ck_assert_ptr_nonnull(strstr(after, "0000:08:00.0 bind-native nvidia"));
    ck_assert_ptr_null(strstr(after, "1234:"));
}
END_TEST

START_TEST(a_rescan_and_a_reload_under_a_plan)
{
    CLEANUP(host_done) struct host h;

    host_init(&h);
    snapshot_done(&h.snapshot);
    records_done(&h.records);
    policy_done(&h.policy);
    policy_init(&h.policy);
    CLEANUP_FREE char *after = read_all(&h);
    ck_assert_ptr_nonnull(strstr(after, "rule=nic"));
    ck_assert_ptr_nonnull(strstr(after, "nvidia"));
}
END_TEST

UNIT_MAIN("plan", alike_but_for_address_and_id, hot_plug_under_a_plan,
          a_rescan_and_a_reload_under_a_plan)
