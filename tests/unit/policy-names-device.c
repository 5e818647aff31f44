/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules name one device by address, slot or serial number, and so are somebody's word that
 * the host does not need the device. */
#include "unit.h"

#include "model/snapshot.h"
#include "policy/parse.h"

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
    };
    const struct device device = {.addr = {0, 6, 0, 0},
                                  .vendor = 0x8086,
                                  .device = 0x10d3,
                                  .class_code = 0x020000,
                                  .detailed = true,
                                  .slot = (char *)"3",
                                  .serial = (char *)"48-b0-2d-ff-ff-12-34-56"};
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        CLEANUP_FREE char *text = NULL;
        ck_assert(asprintf(&text, "[device a]\n%s\n", cases[i].keys) > 0);
        policy_init(&p);
        ck_assert_int_eq(policy_parse(&p, "x.conf", text, strlen(text), &d), 0);
        policy_finish(&p, &d);
        ck_assert_uint_eq(p.n_rules, 1);
        ck_assert_int_eq(rule_test(&p.rules[0], &device), -1);
        ck_assert_msg(rule_names_device(&p.rules[0], &device) == cases[i].names, "%s",
                      cases[i].keys);
    }
}
END_TEST

UNIT_MAIN("policy-names-device", naming_one_device)
