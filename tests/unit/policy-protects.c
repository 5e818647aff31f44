/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an error in one place must not cost: native rules beside it. */
#include "policy/parse.h"
#include "policy/policy.h"
#include "unit.h"

/* A section whose line has an error is not lost, and its keys are not those of the section above.
 */
START_TEST(native_rules_protect_beside_a_section_with_an_error)
{
    static const char *const sections[] = {" [device b]", "\t[device b]", "[device b]\1",
                                           "[device b]\0", "[device b"};
    const struct device device = {.vendor = 0x10de, .device = 0x20f1, .detailed = true};
    const struct device next = {.vendor = 0x10de, .device = 0x2230, .detailed = true};

    for (size_t i = 0; i < ELEMENTS(sections); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        fputs("[device keep]\nid = 10de:20f1\ndriver = native\n", f);
        fwrite(sections[i], 1, strlen(sections[i]) + (i == 3), f);
        fputs("\nid = 10de:2230\nsubsystem = 10de:9999\n[device all]\nid = 10de:*\n", f);
        fclose(f);
        policy_init(&p);
        ck_assert_int_eq(policy_parse(&p, "main", text, size, &d), 0);
        policy_finish(&p, &d);
        ck_assert_msg(d.errors > 0, "case %zu", i);
        ck_assert_str_eq(policy_match(&p, &device)->name, "keep");
        ck_assert_str_eq(policy_match(&p, &next)->name, "all");
    }
}
END_TEST

/* Bytes that are no text do not cost the native rules beside them. */
START_TEST(native_rules_protect_beside_nul_bytes)
{
    static const char text[] = "[device keep]\nid = 10de:20f1\ndriver = native\n\0\0\0\n"
                               "[device all]\nid = 10de:*\n";
    const struct device device = {.vendor = 0x10de, .device = 0x20f1, .detailed = true};
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;

    policy_init(&p);
    ck_assert_int_eq(policy_parse(&p, "main", text, sizeof(text) - 1, &d), 0);
    policy_finish(&p, &d);
    ck_assert_uint_eq(d.errors, 1);
    ck_assert_uint_eq(d.v[0].line, 4);
    ck_assert_ptr_nonnull(strstr(d.v[0].text, "NUL bytes"));
    ck_assert_str_eq(policy_match(&p, &device)->name, "keep");
}
END_TEST

/* "vfs" implies "driver = native", so the physical function is protected like any other. With fewer
 * keys the rule may select more devices than were meant, and makes no virtual functions of them. */
START_TEST(a_rule_with_vfs_and_an_error_only_protects)
{
    static const char *const faults[] = {
        "vfs = 8x\naddress = 0000:3b:00.0\n", "vfs = 8\naddress = 0000:3b:00\n",
        "vfs = 8\ndriver = native\naddress = 0000:3b:00\n", "vfs = 8\nspeed = 10\n"};
    const struct device device = {
        .vendor = 0x8086, .device = 0x1572, .detailed = true, .addr = {.bus = 0x3b}};

    for (size_t i = 0; i < ELEMENTS(faults); i++) {
        CLEANUP(diags_done) struct diags d = {0};
        CLEANUP(policy_done) struct policy p;
        char text[200];

        policy_init(&p);
        snprintf(text, sizeof(text), "[device pf]\nid = 8086:1572\n%s[device all]\nid = 8086:*\n",
                 faults[i]);
        ck_assert_int_eq(policy_parse(&p, "main", text, strlen(text), &d), 0);
        policy_finish(&p, &d);
        ck_assert_msg(d.errors == 1, "%s", faults[i]);
        const struct rule *r = policy_match(&p, &device);
        ck_assert_msg(r && rule_is_native(r) && !rule_makes_vfs(r), "%s", faults[i]);
    }
}
END_TEST

UNIT_MAIN("policy-protects", native_rules_protect_beside_a_section_with_an_error,
          native_rules_protect_beside_nul_bytes, a_rule_with_vfs_and_an_error_only_protects)
