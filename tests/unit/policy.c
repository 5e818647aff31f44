/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables: text of a policy -> what is said about it, or the rules it makes. */
#include "unit.h"

#include <syslog.h>

#include "model/snapshot.h"
#include "policy/parse.h"

static void parse(struct policy *p, struct diags *d, const char *file, const char *text)
{
    ck_assert_int_eq(policy_parse(p, file, text, strlen(text), d), 0);
}

/* Every message, a line each, for the failure's text. */
static const char *messages(const struct diags *d)
{
    static char buf[8192];
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < d->n && used < sizeof(buf); i++) {
        CLEANUP_FREE char *text = diag_text(&d->v[i]);
        used += (size_t)snprintf(buf + used, sizeof(buf) - used, "%s\n", text);
    }
    return buf;
}

static const struct {
    const char *text;
    unsigned line;    /* of the one error */
    const char *says; /* part of the message */
} errors[] = {
    {"[device a]\n10de:20f1 = vfio-pci\n", 2, "write \"id = 10de:20f1\""},
    {"[device a]\nids = 10de:20f1\n", 2, "did you mean \"id\"?"},
    {"[device a]\nid = 0x10DE:0x20F1\n", 2, "did you mean 10de:20f1?"},
    {"[device a]\nid = 10de20f1\n", 2, "four hex digits each"},
    {"[device a]\nid = *:20f1\n", 2, "10de:* for any device of a vendor"},
    {"[device a]\nid = 10de:20*\n", 2, "VENDOR:DEVICE"},
    {"[device a]\nid = !10de:20f1\n", 2, "driver = native"},
    {"[device a]\nid = 0000:06:00.0\n", 2, "address = 0000:06:00.0"},
    {"[device a]\nid = 10de:20f1,,10de:2204\n", 2, "VENDOR:DEVICE"},
    {"[device a]\nid =\n", 2, "id has no value"},
    {"[device a]\nid = 10de:20f1 # the first\n", 2, "comments need lines of their own"},
    {"[device a]\nid = 10de:20f1 ; the first\n", 2, "comments need lines of their own"},
    {"[device a]\nid: 10de:20f1\n", 2, "with '=' instead of ':'"},
    {"[device a]\n  id = 10de:20f1\n", 2, "indented"},
    {"[device a]\nid = 10de:20f1\n , 10de:2204\n", 3, "indented"},
    {"[device a]\nid = 10de:20f1\nid = 10de:2204\n", 3,
     "id appears twice in [device a] (first in line 2)"},
    {"[device a]\nid = 10de:20f1\nshoe = 4\n", 3, "unknown key \"shoe\""},
    {"[device a]\nid = 10de:20f1\nslots = 4\n", 3, "did you mean \"slot\"?"},
    {"[device a]\nid = 10de:20f1\nDriver = auto\n", 3, "did you mean \"driver\"?"},
    {"[device a]\nid = 10de:20f1\n0000:06:00.0 = yes\n", 3, "address = 0000:06:00.0"},
    {"[device a]\nid = 10de:20f1\nnonsense\n", 3, "not a KEY = VALUE line"},
    {"[device a]\nid = 10de:20f1\n= x\n", 3, "no key before '='"},
    {"[device a]\nid = 10de:20f1\naddress = 0000:06:00\n", 3, "address = 0000:06:00"},
    {"[device a]\nid = 10de:20f1\naddress = 06.0\n", 3, "lspci -D"},
    {"[device a]\nid = 10de:20f1\naddress = [0\n", 3, "address = [0"},
    {"[device a]\nid = 10de:20f1\naddress = 0000:06:00.[!]\n", 3, "lspci -D"},
    {"[device a]\nid = 10de:20f1\nsubsystem = 10de:[1\n", 3, "subsystem = 10de:[1"},
    {"[device a]\nid = 10de:20f1\nserial = 48-b0-[\n", 3, "serial: "},
    {"[device a]\nid = 10de:20f1\nclass = 3\n", 3, "2 to 6 hex digits"},
    {"[device a]\nid = 10de:20f1\nclass = 0x03\n", 3, "2 to 6 hex digits"},
    {"[device a]\nid = 10de:20f1\nsubsystem = 1463\n", 3, "like 10de:1463"},
    {"[device a]\nid = 10de:20f1\nserial = 12345\n", 3, "Device Serial Number"},
    {"[device a]\nid = 10de:20f1\ndriver = vfio_pci\n", 3, "did you mean vfio-pci?"},
    {"[device a]\nid = 8086:1572\nvfs = many\n", 3, "write the number of virtual functions"},
    {"[device a]\nid = 8086:1572\nvfs = 65536\n", 3, "write the number of virtual functions"},
    {"[device a]\nid = 8086:1572\nvfs = 8\ndriver = vfio-pci\n", 4, "enable_sriov is not used"},
    {"[device a]\nid = 8086:1572\nvfs = 8\nexpect = 1\n", 4, "a rule with vfs takes no device"},
    {"[device a]\nvf-of = 3b:00.0\nvfs = 8\n", 3, "a virtual function has no virtual functions"},
    {"[device a]\nid = 8086:154c\nvf-index = 0-3\n", 3, "name that device with \"vf-of"},
    {"[device a]\nvf-of = 3b:00.0\nvf-index = 3-0\n", 3, "numbers and ranges"},
    {"[device a]\nvf-of = 3b:zz.0\n", 2, "write the address of the physical function"},
    {"[device a]\nid = 10de:20f1\ndriver = ../../etc\n", 3, "vfio-pci, auto, native"},
    {"[device a]\nid = 10de:20f1\ndriver = nativ\n", 3, "did you mean native?"},
    {"[device a]\nid = 10de:20f1\ndriver = none\n", 3, "did you mean native?"},
    {"[device a]\nid = 10de:20f1\ndriver = vfio\n", 3, "did you mean vfio-pci?"},
    {"[device a]\nid = 10de:20f1\ndriver_override = vfio-pci\n", 3, "did you mean \"driver\"?"},
    {"[device:a]\nid = 10de:20f1\n", 1, "did you mean [device a]?"},
    {"[device a]\nid = 10de:20f1\ndriver = Native\n", 3, "did you mean native?"},
    {"[device a]\nid = 10de:20f1\nslot = !!3\n", 3, "/sys/bus/pci/slots"},
    {"[device a]\nid = 10de:20f1\ngroup = some\n", 3, "functions, all, matched"},
    {"[device a]\nid = 10de:20f1\nhotplug = on\n", 3, "prevent, rebind, off"},
    {"[device a]\nid = 10de:20f1\nforce = true\n", 3, "no, yes"},
    {"[device a]\nid = 10de:20f1\ninterface = cdev\n", 3, "any, group, iommufd"},
    {"[daemon]\ninterface = vfio\n", 2, "any, group, iommufd"},
    {"[device a]\nid = 10de:20f1\nreset-method = flr-rm\n", 3, "reset_method in /sys"},
    {"[device a]\nid = 10de:20f1\nreset-method = ,\n", 3, "reset_method in /sys"},
    {"[device a]\nid = 10de:20f1\nexpect = many\n", 3, "number of devices"},
    {"[device a]\nid = 10de:20f1\nexpect = -1\n", 3, "number of devices"},
    {"[device a]\nid = 10de:20f1\nresource = gpu\n", 3, "DOMAIN/NAME"},
    {"[device a]\nid = 10de:20f1\nresource = Nvidia.com/gpu\n", 3, "DOMAIN/NAME"},
    {"[device a]\nid = 10de:20f1\nresource = kubernetes.io/gpu\n", 3, "reserved"},
    {"[device a]\nid = 10de:20f1\nresource = x.kubernetes.io/gpu\n", 3, "reserved"},
    {"[device a]\nid = 10de:20f1\nresource = "
     "a.com/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n",
     3, "61 characters"},
    {"[device]\nid = 10de:20f1\n", 1, "needs a name"},
    {"[device a b]\nid = 10de:20f1\n", 1, "letters, digits"},
    {"[device cmdline]\nid = 10de:20f1\n", 1, "belongs to vfio_bindd.ids="},
    {"[device aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nid = 10de:20f1\n",
     1, "65 characters, 64 are allowed"},
    {"[device a]\n", 1, "selects nothing"},
    {"[device a]\nslot = !3\n", 1, "selects nothing"},
    {"[10de:20f1]\ndriver = vfio-pci\n", 1, "write [device NAME]"},
    {"[devices a]\nid = 10de:20f1\n", 1, "did you mean [device NAME]?"},
    {"[deamon]\nlog-level = info\n", 1, "did you mean [daemon]?"},
    {"[device a\nid = 10de:20f1\n", 1, "ends with ']'"},
    {"[device a] # gpu\nid = 10de:20f1\n", 1, "text after ']'"},
    {"id = 10de:20f1\n", 1, "belongs to no section"},
    {"[daemon]\nlog-level = loud\n", 2, "error, warning, notice, info, debug"},
    {"[daemon]\nboot-deadline = 90s\n", 2, "at most 60s"},
    {"[daemon]\nboot-deadline = 0\n", 2, "a time like 10s"},
    {"[daemon]\nboot-deadline = 10 parsecs\n", 2, "a time like 10s"},
    {"[daemon]\nunbind-timeout = 99999999999999999999s\n", 2, "a time like 10s"},
    {"[daemon]\nboot_deadline = 10s\n", 2, "did you mean \"boot-deadline\"?"},
    {"[daemon]\nid = 10de:20f1\n", 2, "unknown key \"id\" in [daemon]"},
    {"[kubernets]\nmetrics = yes\n", 1, "did you mean [kubernetes]?"},
    {"[kubernetes]\nnode-features = true\n", 2, "node-features = true: write one of no, yes"},
    {"[kubernetes]\nmetrics = on\n", 2, "metrics = on: write one of no, yes"},
    {"[kubernetes]\nnode-feature = yes\n", 2, "did you mean \"node-features\"?"},
    {"[kubernetes]\nnode_features = yes\n", 2, "did you mean \"node-features\"?"},
    {"[kubernetes]\nlog-level = info\n", 2, "unknown key \"log-level\" in [kubernetes]"},
    {"[device a]\nid = 10de:20f1\n[device a]\nslot = 3\n", 3,
     "twice in this file (first in line 1)"},
    {"[device a]\nid = 10de:*\n[device b]\nid = 10de:20f1\n", 3, "can never match"},
    {"[device a]\nid = 10de:20f1\nclass = 0302\n[device b]\nid = 10de:20f1\nclass = 0302\nslot = "
     "3\n",
     4, "can never match"},
    {"[device a]\nid = 10de:20f1\nresource = n.com/a.b\n[device b]\nid = 10de:2204\nresource = "
     "n.com/A_b\n",
     6, "same for Kubernetes"},
    {"[device a]\nid = 10de:20f1\nslot = \"7\"\n", 3, "without quotes"},
    {"[device a]\nid = 10de:20f1\ndriver = native\nexpect = 2\n", 4,
     "a rule with driver = native takes no device"},
    {"[daemon]\nlog-level = info\nlog-level = debug\n", 3, "twice in [daemon]"},
    {"[daemon]\nlog-level = info\n[daemon]\nboot-deadline = 5s\n", 3, "appears twice in this file"},
    {"[kubernetes]\nmetrics = no\nmetrics = yes\n", 3, "twice in [kubernetes]"},
    {"[kubernetes]\n[daemon]\n[kubernetes]\n", 3,
     "[kubernetes] appears twice in this file (first in line 1)"},
    {"[device a]\nid = 10de:20f1\x01\n", 2, "control character"},
};

START_TEST(each_error_has_its_message)
{
    for (size_t i = 0; i < ELEMENTS(errors); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        policy_init(&p);
        parse(&p, &d, "x.conf", errors[i].text);
        policy_finish(&p, &d);
        ck_assert_msg(d.errors == 1 && d.n == 1, "%s\n-> %zu errors:\n%s", errors[i].text, d.errors,
                      messages(&d));
        ck_assert_msg(strstr(d.v[0].text, errors[i].says), "%s\n-> %s (wanted: %s)", errors[i].text,
                      d.v[0].text, errors[i].says);
        ck_assert_msg(d.v[0].line == errors[i].line, "%s\n-> line %u: %s", errors[i].text,
                      d.v[0].line, d.v[0].text);
        ck_assert_str_eq(d.v[0].file, "x.conf");
    }
}
END_TEST

START_TEST(all_errors_at_once_and_the_rest_is_used)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse(&p, &d, "x.conf",
          "[device good]\nid = 10de:20f1\n"
          "[device bad]\nid = 10de:20f\nslot = 1\nforce = maybe\n"
          "[daemon]\nlog-level = debug\nboot-deadline = never\n");
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 3, "%s", messages(&d));
    ck_assert_uint_eq(p.n_rules, 1);
    ck_assert_str_eq(p.rules[0].name, "good");
    ck_assert_int_eq(p.log_level, LOG_DEBUG);
    ck_assert_uint_eq(p.boot_deadline_usec, 10 * USEC_PER_SEC);
    ck_assert(!p.node_features && !p.metrics);
}
END_TEST

START_TEST(every_key_is_read)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse(&p, &d, "x.conf",
          "# comment\n; comment\n\n  # indented comment\n"
          "[daemon]\nlog-level = warning\nboot-deadline = 500ms\nunbind-timeout = 2 min\n"
          "[kubernetes]\nnode-features = yes\nmetrics = yes\n"
          "[device a100]\nid=10DE:20F1 , 10de:2204\naddress = 06:00.0, !0000:07:*\nslot = 3, !4\n"
          "serial = 48:B0:2D:ff:ff:12:34:56\nclass = 0302, 03\nsubsystem = 10DE:1463\n"
          "driver = auto\ngroup = all\nhotplug = rebind\nforce = yes\nexpect = 8\n"
          "resource = nvidia.com/gpu_dev1\n");
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 0 && d.warnings == 0, "%s", messages(&d));
    ck_assert_int_eq(p.log_level, LOG_WARNING);
    ck_assert_uint_eq(p.boot_deadline_usec, 500000);
    ck_assert_uint_eq(p.unbind_timeout_usec, 120 * USEC_PER_SEC);
    ck_assert(p.node_features && p.metrics);
    ck_assert_uint_eq(p.n_rules, 1);
    const struct rule *r = &p.rules[0];
    ck_assert_uint_eq(r->n_ids, 2);
    ck_assert(r->ids[0].vendor == 0x10de && r->ids[0].device == 0x20f1 && !r->ids[0].any_device);
    ck_assert(r->ids[1].device == 0x2204);
    ck_assert_str_eq(r->narrow[KEY_ADDRESS].v[0], "0000:06:00.0");
    ck_assert_str_eq(r->narrow[KEY_ADDRESS].v[1], "!0000:07:*");
    ck_assert_str_eq(r->narrow[KEY_SLOT].v[1], "!4");
    ck_assert_str_eq(r->narrow[KEY_SERIAL].v[0], "48-b0-2d-ff-ff-12-34-56");
    ck_assert_str_eq(r->narrow[KEY_CLASS].v[0], "0302*");
    ck_assert_str_eq(r->narrow[KEY_SUBSYSTEM].v[0], "10de:1463");
    ck_assert_str_eq(r->driver, "auto");
    ck_assert(r->group == GROUP_ALL && r->hotplug == HOTPLUG_REBIND && r->force);
    ck_assert_int_eq(r->expect, 8);
    ck_assert_str_eq(r->resource, "nvidia.com/gpu_dev1");
    ck_assert_uint_eq(r->where.line, 12);
    ck_assert_uint_eq(r->keys[KEY_RESOURCE].line, 24);
}
END_TEST

/* inih cuts lines at 199 bytes and section names at 49. */
START_TEST(long_values_and_names_survive_whole)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    char text[8192], name[65];
    size_t n;

    memset(name, 'n', 64);
    name[64] = '\0';
    n = (size_t)snprintf(text, sizeof(text), "[device %s]\nid = ", name);
    for (unsigned i = 0; i < 250; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s10de:%04x", i ? " , " : "", i);
    snprintf(text + n, sizeof(text) - n, "\nexpect = 3\n");
    policy_init(&p);
    parse(&p, &d, "x.conf", text);
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 0, "%s", messages(&d));
    ck_assert_str_eq(p.rules[0].name, name);
    ck_assert_uint_eq(p.rules[0].n_ids, 250);
    for (unsigned i = 0; i < 250; i++)
        ck_assert_uint_eq(p.rules[0].ids[i].device, i);
    ck_assert_int_eq(p.rules[0].expect, 3);
    ck_assert_uint_eq(p.rules[0].keys[KEY_EXPECT].line, 3);
}
END_TEST

/* What cannot be handed on whole is refused, never cut. */
START_TEST(too_long_is_refused)
{
    static const size_t lengths[] = {100, 190, 200, 250, 4000, 4096, 5000, 70000};

    for (size_t i = 0; i < ELEMENTS(lengths); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        CLEANUP_FREE char *value = malloc(lengths[i] + 1), *text = NULL;
        memset(value, 's', lengths[i]);
        value[lengths[i]] = '\0';
        ck_assert(asprintf(&text, "[device a]\nid = 10de:20f1\nslot = %s\n", value) > 0);
        policy_init(&p);
        parse(&p, &d, "x.conf", text);
        policy_finish(&p, &d);
        if (p.n_rules == 1)
            ck_assert_str_eq(p.rules[0].narrow[KEY_SLOT].v[0], value);
        else
            ck_assert_uint_eq(d.errors, 1);
        ck_assert(lengths[i] > 100 || p.n_rules == 1);
        ck_assert(lengths[i] < 200 || p.n_rules == 0);
    }
}
END_TEST

START_TEST(hostile_bytes)
{
    static const struct {
        const char *bytes;
        size_t size;
        size_t errors, rules;
    } cases[] = {
        {"\xef\xbb\xbf[device a]\r\nid = 10de:20f1\r\n", 31, 0, 1},
        {"[device a]\nid = 10de:20f1", 25, 0, 1},
        {"", 0, 0, 0},
        {"\n\n\n", 3, 0, 0},
        {"[device a]\0\nid = 10de:20f1\n", 27, 1, 0},
        {"\xff\xfe[\0d\0", 6, 1, 0},
        {"\x7f"
         "ELF\x02\x01\x01\0\0\0",
         10, 1, 0},
        {"]\n[\n[]\n=\n==\n:\n", 14, 6, 0},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        policy_init(&p);
        ck_assert_int_eq(policy_parse(&p, "x", cases[i].bytes, cases[i].size, &d), 0);
        policy_finish(&p, &d);
        ck_assert_msg(d.errors == cases[i].errors && p.n_rules == cases[i].rules,
                      "case %zu: %zu errors, %zu rules: %s", i, d.errors, p.n_rules, messages(&d));
    }
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP_FREE char *big = malloc(10 * 1024 * 1024);
    memset(big, '\n', 10 * 1024 * 1024);
    policy_init(&p);
    ck_assert_int_eq(policy_parse(&p, "x", big, 10 * 1024 * 1024, &d), 0);
    ck_assert_uint_eq(d.errors, 1);
    ck_assert_ptr_nonnull(strstr(d.v[0].text, "larger than 1 MiB"));
}
END_TEST

START_TEST(no_unbounded_complaints)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP_FREE char *text = calloc(1, 20001);

    for (size_t i = 0; i < 10000; i++)
        memcpy(text + 2 * i, "x\n", 2);
    policy_init(&p);
    parse(&p, &d, "x.conf", text);
    ck_assert_uint_eq(d.errors, 10000);
    ck_assert_uint_eq(d.n, DIAGS_MAX);
}
END_TEST

START_TEST(dropins_override_key_by_key)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse(&p, &d, "main", "[device a]\nid = 10de:20f1\nslot = 1\n[device b]\nid = 10de:2204\n");
    parse(&p, &d, "10.conf", "[device a]\nslot = 2\n[device c]\nid = 8086:10d3\n");
    parse(&p, &d, "20.conf", "[device d]\nid = 1b36:*\n[device a]\nforce = yes\n");
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 0, "%s", messages(&d));
    /* last drop-in first, main file last; a rule stays where it was made */
    static const char *const order[] = {"d", "c", "a", "b"};
    ck_assert_uint_eq(p.n_rules, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(p.rules[i].name, order[i]);
    ck_assert_str_eq(p.rules[2].narrow[KEY_SLOT].v[0], "2");
    ck_assert_str_eq(policy_file(&p, p.rules[2].keys[KEY_SLOT]), "10.conf");
    ck_assert_str_eq(policy_file(&p, p.rules[2].keys[KEY_ID]), "main");
    ck_assert(p.rules[2].force && p.rules[2].n_ids == 1);
}
END_TEST

START_TEST(a_section_twice_in_a_dropin_is_an_error)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse(&p, &d, "main", "[device a]\nid = 10de:20f1\n");
    parse(&p, &d, "10.conf", "[device a]\nslot = 2\n[device a]\nforce = yes\n");
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 1 && strstr(d.v[0].text, "twice in this file"), "%s", messages(&d));
    ck_assert_uint_eq(p.n_rules, 0);
}
END_TEST

START_TEST(covered_across_files_is_a_warning)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse(&p, &d, "main", "[device a]\nid = 10de:20f1\n");
    parse(&p, &d, "10.conf", "[device all]\nid = 10de:*\n");
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 0 && d.warnings == 1, "%s", messages(&d));
    ck_assert_uint_eq(p.n_rules, 2);
}
END_TEST

START_TEST(broken_native_rule_keeps_protecting)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    const struct device device = {.vendor = 0x10de, .device = 0x20f1, .detailed = true};

    policy_init(&p);
    parse(&p, &d, "main",
          "[device keep]\nid = 10de:20f1\naddress = 0000:06:00\ndriver = native\n"
          "[device also]\nslot = 3\nclass = 03\ndriver = nativ\n"
          "[device lost]\nslot = 3\"\ndriver = native\n"
          "[device all]\nid = 10de:*\n");
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 3, "%s", messages(&d));
    ck_assert_uint_eq(p.n_rules, 3);
    const struct rule *r = policy_match(&p, &device);
    ck_assert(r && rule_is_native(r));
    const struct device other = {.vendor = 0x10de,
                                 .device = 1,
                                 .class_code = 0x030000,
                                 .detailed = true,
                                 .slot = (char *)"3"};
    r = policy_match(&p, &other);
    ck_assert_str_eq(r->name, "also");
}
END_TEST

START_TEST(command_line)
{
    static const struct {
        const char *text;
        bool off;
        size_t ids, errors;
    } cases[] = {
        {"root=/dev/vda quiet", false, 0, 0},
        {"quiet vfio_bindd.ids=10de:20f1 x=y\n", false, 1, 0},
        {"vfio_bindd.ids=10de:20f1,10de:1aef vfio_bindd.ids=8086:*", false, 3, 0},
        {"vfio_bindd.ids= quiet", false, 0, 0},
        {"vfio_bindd.ids=10de", false, 0, 1},
        {"vfio_bindd=off", true, 0, 0},
        {"vfio_bindd.enable=0 vfio_bindd.ids=10de:20f1", true, 1, 0},
        {"vfio_bindd=on xvfio_bindd=off", false, 0, 0},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        bool off = !cases[i].off;
        policy_init(&p);
        parse(&p, &d, "main", "[device a]\nid = ffff:0001\n");
        ck_assert_int_eq(policy_parse_cmdline(&p, cases[i].text, &d, &off), 0);
        policy_finish(&p, &d);
        ck_assert_msg(off == cases[i].off, "%s", cases[i].text);
        ck_assert_msg(d.errors == cases[i].errors, "%s: %s", cases[i].text, messages(&d));
        const struct rule *r = policy_find_rule(&p, RULE_CMDLINE);
        ck_assert_msg((r ? r->n_ids : 0) == cases[i].ids, "%s", cases[i].text);
        ck_assert(!r || r == &p.rules[0]); /* the command line comes first */
    }
}
END_TEST

START_TEST(prevent_is_for_rules_by_id_alone)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse(&p, &d, "x.conf",
          "[device a]\nid = 10de:20f1\n[device b]\nid = 10de:20f2\nslot = 3\n"
          "[device c]\nid = 10de:20f3\nslot = 3\nhotplug = prevent\n"
          "[device d]\nid = 10de:20f4\nhotplug = off\n");
    policy_finish(&p, &d);
    ck_assert(p.rules[0].hotplug == HOTPLUG_PREVENT && p.rules[1].hotplug == HOTPLUG_REBIND &&
              p.rules[2].hotplug == HOTPLUG_PREVENT && p.rules[3].hotplug == HOTPLUG_OFF);
}
END_TEST

static const struct {
    const char *keys;
    bool matches;
} matches[] = {
    {"id = 10de:20f1", true},
    {"id = 10de:*", true},
    {"id = 10de:20f2, 10de:20f1", true},
    {"id = 10de:20f2", false},
    {"id = 8086:*", false},
    {"id = 10de:20f1\naddress = 0000:06:00.0", true},
    {"id = 10de:20f1\naddress = 06:00.0", true},
    {"id = 10de:20f1\naddress = 0000:06:*", true},
    {"id = 10de:20f1\naddress = 06:*", true},
    {"id = 10de:20f1\naddress = *:06:00.?", true},
    {"id = 10de:20f1\naddress = 0000:*", true},
    {"id = 10de:20f1\naddress = 0000:07:*", false},
    {"id = 10de:20f1\naddress = !0000:07:*", true},
    {"id = 10de:20f1\naddress = !0000:06:00.0", false},
    {"id = 10de:20f1\naddress = 0000:06:*, !0000:06:00.0", false},
    {"id = 10de:20f1\nslot = 3", true},
    {"id = 10de:20f1\nslot = 4, 3", true},
    {"id = 10de:20f1\nslot = 4", false},
    {"id = 10de:20f1\nslot = !4", true},
    {"id = 10de:20f1\nslot = !3", false},
    {"id = 10de:20f1\nslot = ! 3", false},
    {"id = 10de:20f1\naddress = !06:00.*", false},
    {"id = 10de:20f1\nclass = 03*", true},
    {"id = 10de:20f1\nclass = 030", true},
    {"id = 10de:20f1\nclass = 03", true},
    {"id = 10de:20f1\nclass = 0302", true},
    {"id = 10de:20f1\nclass = 030200", true},
    {"id = 10de:20f1\nclass = 0300", false},
    {"id = 10de:20f1\nclass = !0300", true},
    {"id = 10de:20f1\nsubsystem = 10de:1463", true},
    {"id = 10de:20f1\nsubsystem = 10de:*", true},
    {"id = 10de:20f1\nsubsystem = 1043:*", false},
    {"id = 10de:20f1\nserial = 48-b0-2d-ff-ff-12-34-56", false},  /* not known */
    {"id = 10de:20f1\nserial = !48-b0-2d-ff-ff-12-34-56", false}, /* not known either */
    {"class = 0302", true},
    {"address = 0000:06:00.0", true},
    {"slot = 3", true},
};

START_TEST(matching)
{
    const struct device device = {.addr = {0, 6, 0, 0},
                                  .vendor = 0x10de,
                                  .device = 0x20f1,
                                  .subvendor = 0x10de,
                                  .subdevice = 0x1463,
                                  .class_code = 0x030200,
                                  .detailed = true,
                                  .slot = (char *)"3"};
    for (size_t i = 0; i < ELEMENTS(matches); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        CLEANUP_FREE char *text = NULL;
        ck_assert(asprintf(&text, "[device a]\n%s\n", matches[i].keys) > 0);
        policy_init(&p);
        parse(&p, &d, "x.conf", text);
        policy_finish(&p, &d);
        ck_assert_msg(d.errors == 0, "%s", messages(&d));
        ck_assert_msg((policy_match(&p, &device) != NULL) == matches[i].matches, "%s",
                      matches[i].keys);
        ck_assert_msg(policy_may_match(&p, &device) || !matches[i].matches, "%s", matches[i].keys);
    }
}
END_TEST

/* The index finds the same rule as a look at each of them. */
START_TEST(index_finds_the_first)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP_FREE char *text = NULL;
    size_t size, matched = 0;
    unsigned seed = 1;
    FILE *f = open_memstream(&text, &size);

    for (unsigned i = 0; i < 300; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned r = seed >> 8;
        if (i == 250)
            fprintf(f, "[device any]\nclass = 12\n"); /* without an ID, in between */
        if (r % 16 == 0) /* a vendor's every device, at one address only */
            fprintf(f, "[device v%u]\nid = 10%02x:*\naddress = 0000:%02x:*\n", i, i % 8, i % 7);
        else
            fprintf(f, "[device d%u]\nid = 10%02x:%04x, 10%02x:%04x\naddress = 0000:0%u:*\n", i,
                    r % 8, r / 8 % 16, r / 128 % 8, r / 1024 % 16, i % 7);
    }
    fclose(f);
    policy_init(&p);
    parse(&p, &d, "x.conf", text);
    policy_finish(&p, &d);
    ck_assert_uint_gt(p.n_rules, 200); /* a rule that another covers is dropped */
    for (unsigned i = 0; i < 2 * 8 * 8 * 17; i++) {
        const struct device device = {.addr = {0, (uint8_t)(i % 8), 0, 0},
                                      .vendor = (uint16_t)(0x1000 + i / 8 % 8),
                                      .device = (uint16_t)(i / 64 % 17),
                                      .class_code = i / 64 / 17 ? 0x120000 : 0x030000};
        const struct rule *first = NULL;
        for (size_t k = 0; k < p.n_rules && !first; k++)
            if (rule_test(&p.rules[k], &device) < 0)
                first = &p.rules[k];
        matched += first != NULL;
        ck_assert_ptr_eq(policy_match(&p, &device), first);
        ck_assert_int_eq(policy_may_match(&p, &device), first != NULL);
    }
    ck_assert_uint_gt(matched, 100);
    ck_assert_uint_lt(matched, 2 * 8 * 8 * 17);
}
END_TEST

/* A file that could not be read may narrow any rule, or make an exception. */
START_TEST(what_is_left_of_a_policy_that_was_read_in_part)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    bool off;

    policy_init(&p);
    parse(&p, &d, "x.conf",
          "[device one]\nid = 10de:20f1\n[device kept]\nid = 10de:1eb8\ndriver = native\n");
    ck_assert_int_eq(policy_parse_cmdline(&p, "vfio_bindd.ids=8086:10d3", &d, &off), 0);
    policy_distrust(&p);
    policy_finish(&p, &d);
    ck_assert_uint_eq(p.n_rules, 2);
    ck_assert_str_eq(p.rules[0].name, RULE_CMDLINE);
    ck_assert(rule_is_native(&p.rules[1]));
}
END_TEST

UNIT_MAIN("policy", each_error_has_its_message, all_errors_at_once_and_the_rest_is_used,
          every_key_is_read, long_values_and_names_survive_whole, too_long_is_refused,
          hostile_bytes, no_unbounded_complaints, dropins_override_key_by_key,
          a_section_twice_in_a_dropin_is_an_error, covered_across_files_is_a_warning,
          broken_native_rule_keeps_protecting, prevent_is_for_rules_by_id_alone, command_line,
          matching, index_finds_the_first, what_is_left_of_a_policy_that_was_read_in_part)
