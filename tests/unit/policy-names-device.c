/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules name one device by address, slot or serial number, and so are somebody's word that
 * the host does not need the device. */
#include "unit.h"

#include "model/snapshot.h"
#include "policy/parse.h"

static const struct device device = {.addr = {0, 6, 0, 0},
                                     .vendor = 0x8086,
                                     .device = 0x10d3,
                                     .class_code = 0x020000,
                                     .detailed = true,
                                     .slot = (char *)"3",
                                     .serial = (char *)"48-b0-2d-ff-ff-12-34-56"};

/* A policy of this one rule, which selects the device. */
static void make_rule(const char *keys, struct policy *p, struct diags *d)
{
    CLEANUP_FREE char *text = NULL;

    ck_assert(asprintf(&text, "[device a]\n%s\n", keys) > 0);
    policy_init(p);
    ck_assert_int_eq(policy_parse(p, "x.conf", text, strlen(text), d), 0);
    policy_finish(p, d);
    ck_assert_uint_eq(p->n_rules, 1);
    ck_assert_uint_eq(d->errors, 0);
    ck_assert_int_eq(rule_test(&p->rules[0], &device), -1);
}

START_TEST(naming_one_device)
{
    static const struct {
        const char *keys;
        bool names;
    } cases[] = {
        {"id = 8086:10d3", false},
        {"id = 8086:10d3\nclass = 02", false},
        {"id = 8086:10d3\naddress = 0000:06:00.0", true},
        {"id = 8086:10d3\naddress = 06:00.0", true},
        {"id = 8086:10d3\naddress = 0000:06:00.*", true},
        {"id = 8086:10d3\naddress = 0000:06:00*", true},
        {"id = 8086:10d3\naddress = 0000:06:00.[0-3]", true},
        {"id = 8086:10d3\naddress = 0000:06:00.?", true},
        {"id = 8086:10d3\naddress = 06:00.*", true},
        {"id = 8086:10d3\naddress = 0000:05:00.0, 0000:06:00.0", true},
        {"id = 8086:10d3\naddress = 0000:05:00.0, 0000:06:*", false},
        {"id = 8086:10d3\naddress = 0000:06:*", false},
        {"id = 8086:10d3\naddress = 0000:06:0?.0", false},
        {"id = 8086:10d3\naddress = 0000:06:0*", false},
        {"id = 8086:10d3\naddress = 0000:*", false},
        {"id = 8086:10d3\naddress = 0000:*:*", false},
        {"id = 8086:10d3\naddress = *:06:00.0", false},
        {"id = 8086:10d3\naddress = 000[0]:06:00.0", false},
        {"id = 8086:10d3\naddress = *", false},
        {"id = 8086:10d3\naddress = !0000:07:00.0", false},
        {"id = 8086:10d3\nslot = 3", true},
        {"id = 8086:10d3\nslot = 2, 3", true},
        {"id = 8086:10d3\nslot = *", false},
        {"id = 8086:10d3\nslot = [0-9]", false},
        {"id = 8086:10d3\nslot = [3]", false},
        {"id = 8086:10d3\nslot = 3*", false},
        {"id = 8086:10d3\nslot = !4", false},
        {"id = 8086:10d3\naddress = 0000:*\nslot = 3", true},
        {"id = 8086:10d3\nserial = 48-b0-2d-ff-ff-12-34-56", true},
        {"id = 8086:10d3\nserial = 48-b0-2d-*", false},
        {"id = 8086:10d3\nserial = !48-b0-2d-ff-ff-12-34-57", false},
        {"id = 8086:*\naddress = 0000:06:00.0", true},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        make_rule(cases[i].keys, &p, &d);
        ck_assert_msg(rule_names_device(&p.rules[0], &device) == cases[i].names, "%s",
                      cases[i].keys);
        ck_assert(rule_vouches_for(&p.rules[0], &device) == cases[i].names);
    }
}
END_TEST

/* Without an ID the address may be that of another device by now. */
START_TEST(trusting_addresses)
{
    static const struct {
        const char *keys;
        bool trusts;
    } cases[] = {
        {"address = 0000:06:00.0", true},
        {"address = 0000:06:00.*, 0000:07:00.0", true},
        {"address = 0000:06:*", true},
        {"address = 0000:06:00.0\nclass = 02", true},
        {"address = 0000:06:00.0\nslot = !4", true},
        {"address = 0000:06:00.0\nid = 8086:10d3", false},
        {"address = 0000:06:00.0\nid = 8086:*", false},
        {"address = 0000:06:00.0\nslot = 3", false},
        {"address = 0000:06:00.0\nserial = 48-b0-*", false},
        {"address = !0000:07:00.0\nclass = 02", false},
        {"slot = 3", false},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        make_rule(cases[i].keys, &p, &d);
        ck_assert_msg(rule_trusts_addresses(&p.rules[0]) == cases[i].trusts, "%s", cases[i].keys);
        ck_assert_msg(d.warnings == cases[i].trusts, "%s", cases[i].keys);
        ck_assert(!cases[i].trusts || !rule_vouches_for(&p.rules[0], &device));
    }
}
END_TEST

static void parse_file(struct policy *p, struct diags *d, const char *name, const char *text)
{
    ck_assert_int_eq(policy_parse(p, name, text, strlen(text), d), 0);
}

/* Where something is done to the device; a drop-in may bring the ID. */
START_TEST(warnings)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    parse_file(&p, &d, "main",
               "[device a]\nclass = 03\naddress = 0000:06:00.0\n"
               "[device kept]\naddress = 0000:07:00.0\ndriver = native\n"
               "[device makes]\naddress = 0000:08:00.0\nvfs = 4\n"
               "[device b]\naddress = 0000:09:00.0\n");
    parse_file(&p, &d, "10.conf", "[device b]\nid = 10de:20f1\n");
    policy_finish(&p, &d);
    ck_assert_uint_eq(d.errors, 0);
    ck_assert_uint_eq(d.warnings, 2);
    ck_assert_uint_eq(d.v[0].line, 3);
    ck_assert_uint_eq(d.v[1].line, 8);
    ck_assert(strstr(d.v[1].text, "[device makes] has address without id") != NULL);
    ck_assert_uint_eq(p.n_rules, 4);
    ck_assert(!p.incomplete);
}
END_TEST

/* Not in the address of a physical function. */
START_TEST(case_matters_in_slots_only)
{
    static const char text[] = "[device a]\nvf-of = 0000:3B:00.*, 0000:3C:00.0, Slot\n";
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    ck_assert_int_eq(policy_parse(&p, "x.conf", text, strlen(text), &d), 0);
    policy_finish(&p, &d);
    ck_assert_msg(d.errors == 0, "%s", d.n > 0 ? d.v[0].text : "");
    ck_assert_str_eq(p.rules[0].narrow[KEY_VF_OF].v[0], "0000:3b:00.*");
    ck_assert_str_eq(p.rules[0].narrow[KEY_VF_OF].v[1], "0000:3c:00.0");
    ck_assert_str_eq(p.rules[0].narrow[KEY_VF_OF].v[2], "Slot");
}
END_TEST

UNIT_MAIN("policy-names-device", naming_one_device, trusting_addresses, warnings,
          case_matters_in_slots_only)
