/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of vfio-pci's table a rule calls for. */
#include "unit.h"

#include "fence.h"
#include "policy-parse.h"

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
        struct fence_id ids[4];
        char found[256] = "";
        bool narrowed;
        ck_assert(asprintf(&text, "[device a]\n%s\n", cases[i].keys) > 0);
        read_policy(&p, text);
        size_t n = fence_of_rule(&p.rules[0], ids, ELEMENTS(ids), &narrowed);
        for (size_t k = 0; k < n; k++)
            strcat(strcat(found, fence_text(&ids[k]).s), ";");
        ck_assert_str_eq(found, cases[i].entries);
        ck_assert_msg(narrowed == cases[i].narrowed, "%s", cases[i].keys);
    }
}
END_TEST

UNIT_MAIN("fence", entries_of_a_rule)
