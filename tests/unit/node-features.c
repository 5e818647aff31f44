/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "config.h"
#include "model/snapshot-text.h"
#include "offer/kubelet.h"
#include "offer/node-features.h"
#include "plan/make.h"
#include "policy/parse.h"

/* Two GPUs in one group, one with a companion function in a group of its own, one in a group that
 * is not viable. */
static const char host[] =
    "snapshot cold-boot=0\n"
    "registered vfio-pci\n"
    "device 0000:06:00.0 id=10de:20f1 class=030200 detailed=1 group=16 node=1 driver=vfio-pci\n"
    "device 0000:06:00.1 id=10de:1aef class=040300 detailed=1 group=16 node=1 driver=vfio-pci\n"
    "device 0000:07:00.0 id=10de:20f1 class=030200 detailed=1 group=17 node=1 driver=vfio-pci\n"
    "device 0000:08:00.0 id=10de:20f1 class=030200 detailed=1 group=17 node=1 driver=vfio-pci\n"
    "device 0000:09:00.0 id=10de:20f1 class=030200 detailed=1 group=18 node=1 driver=vfio-pci\n"
    "device 0000:09:01.0 id=8086:1572 class=020000 detailed=1 group=18 driver=i40e\n"
    "device 0000:0a:00.0 id=10de:2330 class=030200 detailed=1 group=19 driver=nvidia\n"
    "device 0000:0b:00.0 id=8086:1583 class=020000 detailed=1 group=20 driver=i40e vfs-max=8\n";

struct made {
    struct policy policy;
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    struct features features;
};

static void make(struct made *m, const char *text, const char *policy)
{
    CLEANUP(diags_done) struct diags d = {0};
    unsigned line = 0;

    *m = (struct made){0};
    policy_init(&m->policy);
    ck_assert_int_eq(policy_parse(&m->policy, "test", policy, strlen(policy), &d), 0);
    policy_finish(&m->policy, &d);
    ck_assert_uint_eq(d.errors, 0);
    ck_assert_msg(snapshot_read(&m->snapshot, text, &line) == 0, "line %u", line);
    for (size_t i = 0; i < m->snapshot.n; i++)
        if (driver_is_vfio(m->snapshot.devices[i].driver))
            records_get(&m->records, m->snapshot.devices[i].addr)->binding = BINDING_FOUND;
    ck_assert_int_eq(plan_make(&m->policy, &m->snapshot, &m->records, &m->plan), 0);
    ck_assert_int_eq(features_of_plan(&m->policy, &m->snapshot, &m->plan, 0, false, &m->features),
                     0);
}

static void done(struct made *m)
{
    features_done(&m->features);
    plan_done(&m->plan);
    records_done(&m->records);
    snapshot_done(&m->snapshot);
    policy_done(&m->policy);
}

static char *text_of(const struct features *f, const char *expiry, bool prometheus)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_int_eq(prometheus ? features_write_prometheus(f, stream)
                                : features_write_nfd(f, expiry, stream),
                     0);
    fclose(stream);
    return text;
}

START_TEST(nfd)
{
    CLEANUP(done) struct made m;
    make(&m, host, "[device a100]\nid = 10de:20f1\n[device h100]\nid = 10de:2330\n");
    CLEANUP_FREE char *text = text_of(&m.features, "2030-01-02T03:04:05Z", false);

    /* group 17 goes to one virtual machine whole, group 18 to none, the H100 is on nvidia */
    ck_assert_str_eq(text, "# +expiry-time=2030-01-02T03:04:05Z\n"
                           "feature.node.kubernetes.io/vfio-bindd.ready=false\n"
                           "feature.node.kubernetes.io/vfio-bindd.pci-10de-20f1.count=2\n"
                           "feature.node.kubernetes.io/vfio-bindd.pci-10de-2330.count=0\n");
}
END_TEST

/* Group 17 has a device of each node here: each is counted on its own. */
START_TEST(nfd_by_numa_node)
{
    CLEANUP(done) struct made m;
    make(&m, host, "[device a100]\nid = 10de:20f1\n[device h100]\nid = 10de:2330\n");
    static const int nodes[] = {0, 0, 1, 0, 1, -1};

    for (size_t i = 0; i < m.features.n; i++)
        m.features.v[i].numa_node = nodes[i];
    CLEANUP_FREE char *text = text_of(&m.features, NULL, false);
    ck_assert_str_eq(text, "feature.node.kubernetes.io/vfio-bindd.ready=false\n"
                           "feature.node.kubernetes.io/vfio-bindd.pci-10de-20f1.count=2\n"
                           "feature.node.kubernetes.io/vfio-bindd.pci-10de-20f1.numa-0.count=2\n"
                           "feature.node.kubernetes.io/vfio-bindd.pci-10de-20f1.numa-1.count=1\n"
                           "feature.node.kubernetes.io/vfio-bindd.pci-10de-2330.count=0\n");
    CLEANUP_FREE char *metrics = text_of(&m.features, NULL, true);
    ck_assert(strstr(metrics, "group=\"16\",numa_node=\"0\"} 1"));
}
END_TEST

START_TEST(nfd_without_rules)
{
    CLEANUP(done) struct made m;
    make(&m, host, "");
    CLEANUP_FREE char *text = text_of(&m.features, NULL, false);

    ck_assert_str_eq(text, "feature.node.kubernetes.io/vfio-bindd.ready=true\n");
}
END_TEST

START_TEST(readiness)
{
    static const struct {
        const char *policy;
        size_t errors;
        bool ready;
    } cases[] = {
        {"[device x]\naddress = 0000:06:00.0\n", 0, true},
        {"[device x]\naddress = 0000:06:00.0\n", 1, false},
        {"[device x]\naddress = 0000:06:00.0\nexpect = 1\n", 0, true},
        {"[device x]\naddress = 0000:06:00.0\nexpect = 2\n", 0,
         false},                                             /* a companion function is none */
        {"[device x]\naddress = 0000:09:00.0\n", 0, false},  /* not viable */
        {"[device x]\naddress = 0000:0a:00.0\n", 0, false},  /* pending */
        {"[device x]\nid = 8086:1572\nvfs = 2\n", 0, false}, /* it supports none */
        {"[device x]\nid = 8086:1583\nvfs = 2\n", 0, false}, /* pending */
        {"[device x]\nid = 8086:1583\nvfs = 0\n", 0, true},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(done) struct made m;
        make(&m, host, cases[i].policy);
        m.features.errors = cases[i].errors;
        features_judge(&m.features);
        ck_assert_msg(m.features.ready == cases[i].ready, "case %zu", i);
    }
}
END_TEST

/* A release is wanted, but what `expect` asks for is not there any more. */
START_TEST(released_is_not_expected)
{
    static const struct {
        const char *policy;
        bool ready;
    } cases[] = {
        {"[device x]\naddress = 0000:06:00.0\n", true},
        {"[device x]\naddress = 0000:06:00.0\nexpect = 1\n", false},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(done) struct made m;
        make(&m, host, cases[i].policy);
        for (size_t j = 0; j < m.features.n; j++) {
            m.features.v[j].state = "released";
            m.features.v[j].usable = false;
        }
        features_judge(&m.features);
        ck_assert_msg(m.features.ready == cases[i].ready, "case %zu", i);
    }
}
END_TEST

/* KubeVirt offers groups, viable or not, by the driver's literal name. */
START_TEST(offered_is_not_usable)
{
    CLEANUP(done) struct made m;
    make(&m, host,
         "[device a100]\nid = 10de:20f1\nresource = a.com/x\n[device h100]\nid = 10de:2330\n"
         "resource = a.com/y\n");
    CLEANUP_FREE char *text = text_of(&m.features, NULL, true);

    ck_assert_ptr_nonnull(
        strstr(text, "vfio_bindd_usable_devices{id=\"10de:20f1\",resource=\"a.com/x\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "vfio_bindd_offered_devices{resource=\"a.com/x\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "vfio_bindd_offered_devices{resource=\"a.com/y\"} 0\n"));
}
END_TEST

/* NFD ignores a file of more than 64 KiB as a whole: then none is written. */
START_TEST(nfd_too_many)
{
    CLEANUP(features_done) struct features f = {.n = 1000};
    CLEANUP_FREE struct device *devices = calloc(f.n, sizeof(*devices));
    FILE *stream = fopen("/dev/null", "w");

    f.v = calloc(f.n, sizeof(*f.v));
    for (size_t i = 0; i < f.n; i++) {
        devices[i] = (struct device){.vendor = 0x10de, .device = (uint16_t)i};
        f.v[i] = (struct feature_device){
            .d = &devices[i], .rule = "x", .state = "bound", .numa_node = -1};
    }
    ck_assert_int_eq(features_write_nfd(&f, NULL, stream), -E2BIG);
    f.n = 600;
    ck_assert_int_eq(features_write_nfd(&f, NULL, stream), 0);
    CLEANUP_FREE char *text = text_of(&f, "2030-01-02T03:04:05Z", false);
    ck_assert_uint_le(strlen(text), FEATURES_SIZE_MAX);
    fclose(stream);
}
END_TEST

static const char all_metrics[] =
    "# HELP vfio_bindd_build_info The version of vfio-bindd.\n"
    "# TYPE vfio_bindd_build_info gauge\n"
    "vfio_bindd_build_info{version=\"" VERSION_TEXT "\"} 1\n"
    "# HELP vfio_bindd_ready Whether everything is as the policy wants it.\n"
    "# TYPE vfio_bindd_ready gauge\n"
    "vfio_bindd_ready 1\n"
    "# HELP vfio_bindd_policy_errors Errors in the policy.\n"
    "# TYPE vfio_bindd_policy_errors gauge\n"
    "vfio_bindd_policy_errors 0\n"
    "# HELP vfio_bindd_devices Devices that the policy selects or that come "
    "along, by state.\n"
    "# TYPE vfio_bindd_devices gauge\n"
    "vfio_bindd_devices{state=\"pending\"} 0\n"
    "vfio_bindd_devices{state=\"bound\"} 2\n"
    "vfio_bindd_devices{state=\"refused\"} 0\n"
    "vfio_bindd_devices{state=\"busy\"} 0\n"
    "vfio_bindd_devices{state=\"failed\"} 0\n"
    "vfio_bindd_devices{state=\"stuck\"} 0\n"
    "vfio_bindd_devices{state=\"released\"} 0\n"
    "vfio_bindd_devices{state=\"contested\"} 0\n"
    "# HELP vfio_bindd_usable_devices Devices of a model that virtual machines could have now, "
    "one for each IOMMU group.\n"
    "# TYPE vfio_bindd_usable_devices gauge\n"
    "vfio_bindd_usable_devices{id=\"10de:20f1\",resource=\"a.com/x\"} 1\n"
    "# HELP vfio_bindd_offered_devices Devices of a resource that KubeVirt would offer if it "
    "looked now, usable or not.\n"
    "# TYPE vfio_bindd_offered_devices gauge\n"
    "vfio_bindd_offered_devices{resource=\"a.com/x\"} 1\n"
    "# HELP vfio_bindd_rule_matched Devices that a rule itself matches.\n"
    "# TYPE vfio_bindd_rule_matched gauge\n"
    "vfio_bindd_rule_matched{rule=\"a\"} 1\n"
    "# HELP vfio_bindd_rule_expected How many devices a rule with \"expect\" must match.\n"
    "# TYPE vfio_bindd_rule_expected gauge\n"
    "vfio_bindd_rule_expected{rule=\"a\"} 1\n"
    "# HELP vfio_bindd_device_info One for each device that the policy selects.\n"
    "# TYPE vfio_bindd_device_info gauge\n"
    "vfio_bindd_device_info{address=\"0000:06:00.0\",id=\"10de:20f1\",rule=\"a\","
    "resource=\"a.com/x\",group=\"16\"} 1\n"
    "vfio_bindd_device_info{address=\"0000:06:00.1\",id=\"10de:1aef\",rule=\"a\","
    "resource=\"\",group=\"16\"} 1\n"
    "# HELP vfio_bindd_device_state 1 for the state that the device is in.\n"
    "# TYPE vfio_bindd_device_state gauge\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"pending\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"bound\"} 1\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"refused\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"busy\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"failed\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"stuck\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"released\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.0\",state=\"contested\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"pending\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"bound\"} 1\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"refused\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"busy\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"failed\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"stuck\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"released\"} 0\n"
    "vfio_bindd_device_state{address=\"0000:06:00.1\",state=\"contested\"} 0\n"
    "# HELP vfio_bindd_device_driver The driver that has the "
    "device; none where no driver has "
    "it.\n"
    "# TYPE vfio_bindd_device_driver gauge\n"
    "vfio_bindd_device_driver{address=\"0000:06:00.0\",driver="
    "\"vfio-pci\"} 1\n"
    "vfio_bindd_device_driver{address=\"0000:06:00.1\",driver="
    "\"vfio-pci\"} 1\n"
    "# HELP vfio_bindd_device_usable Whether a virtual machine "
    "could have the device now.\n"
    "# TYPE vfio_bindd_device_usable gauge\n"
    "vfio_bindd_device_usable{address=\"0000:06:00.0\"} 1\n"
    "vfio_bindd_device_usable{address=\"0000:06:00.1\"} 1\n";

START_TEST(prometheus)
{
    CLEANUP(done) struct made m;
    make(&m, host,
         "[device a]\naddress = 0000:06:00.0\nexpect = 1\nresource = a.com/x\n[device n]\nid = "
         "8086:1572\n"
         "driver = native\n");
    CLEANUP_FREE char *text = text_of(&m.features, NULL, true);

    ck_assert_str_eq(text, all_metrics);
}
END_TEST

START_TEST(labels_are_quoted)
{
    struct device d = {.driver = "a\"b\\c\nd", .group = NO_GROUP};
    struct feature_device v = {.d = &d, .rule = "x", .state = "bound", .numa_node = -1};
    struct features f = {.v = &v, .n = 1};
    CLEANUP_FREE char *text = text_of(&f, NULL, true);

    ck_assert_ptr_nonnull(strstr(text, "driver=\"a\\\"b\\\\c\\nd\"} 1\n"));
}
END_TEST

START_TEST(full_disk)
{
    struct features f = {.ready = true};
    FILE *stream = fopen("/dev/full", "w");

    setvbuf(stream, NULL, _IONBF, 0);
    ck_assert_int_eq(features_write_nfd(&f, NULL, stream), -EIO);
    ck_assert_int_eq(features_write_prometheus(&f, stream), -EIO);
    fclose(stream);
}
END_TEST

START_TEST(kubelets_checkpoint)
{
    static const struct {
        const char *text;
        int r;
        size_t n, others;
    } cases[] = {
        {"{\"Data\":{\"RegisteredDevices\":{\"a.com/x\":[\"16\",\"4\"]}},\"Checksum\":1}", 1, 2, 0},
        {"\"RegisteredDevices\":{\"k\":[\"kvm0\"],\"a.com/x\":[\"GPU-1\",\"7\"]}", 1, 1, 1},
        {"\"RegisteredDevices\":{\"a.com/x\":null}", 1, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[]}", 1, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/xy\":[\"1\"],\"a.com/\":[\"1\"]}", 0, 0, 0},
        {"\"RegisteredDevices\":{}", 0, 0, 0},
        {"\"RegisteredDevices\":null", 0, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[\"4294967296\",\"\"]}", 1, 0, 2},
        {"", -EBADMSG, 0, 0},
        {"{}", -EBADMSG, 0, 0},
        {"\"x\\\"RegisteredDevices\\\":{}\"", -EBADMSG, 0, 0}, /* inside a string */
        {"\"RegisteredDevices\":", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\"", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[\"1\"", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[\"1\",]}", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[\"1\"]", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[[\"1\"]]}", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":\"1\"}", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":{\"a.com/x\":[\"1\\u0031\"]}", -EBADMSG, 0, 0},
        {"\"RegisteredDevices\":[\"16\"]", -EBADMSG, 0, 0},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct kubelet_devices list = {0};
        int r = kubelet_find(cases[i].text, "a.com/x", &list);
        ck_assert_msg(r == cases[i].r && list.n == cases[i].n && list.others == cases[i].others,
                      "case %zu: %d, %zu, %zu", i, r, list.n, list.others);
        if (i == 0)
            ck_assert(list.groups[0] == 16 && list.groups[1] == 4);
        free(list.groups);
    }
}
END_TEST

UNIT_MAIN("features", nfd, nfd_without_rules, nfd_by_numa_node, readiness, released_is_not_expected,
          offered_is_not_usable, kubelets_checkpoint, nfd_too_many, prometheus, labels_are_quoted,
          full_disk)
