/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How selected devices are counted in the journal, STATUS= and the client. */
#include "plan/counts.h"

#include "unit.h"

static const struct {
    struct device_counts part, all;
    const char *text, *part_text;
} cases[] = {
    {{0}, {.named = 1}, "1 device", "0 of 1 device"},
    {{.named = 2}, {.named = 2}, "2 devices", "2 devices"},
    {{.named = 2}, {.named = 4}, "4 devices", "2 of 4 devices"},
    {{.named = 1},
     {.named = 1, .companions = 1},
     "1 device and its companion function",
     "1 of 1 device and 0 of 1 companion function"},
    {{.named = 1, .companions = 1},
     {.named = 3, .companions = 1},
     "3 devices and their companion function",
     "1 of 3 devices and 1 of 1 companion function"},
    {{.named = 8, .companions = 8},
     {.named = 8, .companions = 8},
     "8 devices and their 8 companion functions",
     "8 devices and their 8 companion functions"},
    {{.named = 5, .companions = 6},
     {.named = 7, .companions = 7, .group_members = 7},
     "7 devices and their 7 group members",
     "5 of 7 devices and 6 of 7 group members"},
    {{.named = 1, .companions = 2},
     {.named = 1, .companions = 3, .group_members = 1},
     "1 device and its 3 companion functions and group members",
     "1 of 1 device and 2 of 3 companion functions and group members"},
};

START_TEST(texts)
{
    char text[COUNTS_TEXT_MAX];

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        counts_text(&cases[i].all, text);
        ck_assert_str_eq(text, cases[i].text);
        counts_part_text(&cases[i].part, &cases[i].all, text);
        ck_assert_str_eq(text, cases[i].part_text);
    }
}
END_TEST

START_TEST(counts)
{
    struct device_counts s = {0};

    counts_add(&s, (struct pci_addr){.bus = 6}, false, (struct pci_addr){0});
    counts_add(&s, (struct pci_addr){.bus = 6, .fn = 1}, true, (struct pci_addr){.bus = 6});
    counts_add(&s, (struct pci_addr){.bus = 7}, true, (struct pci_addr){.bus = 6});
    ck_assert_uint_eq(s.named, 1);
    ck_assert_uint_eq(s.companions, 2);
    ck_assert_uint_eq(s.group_members, 1);
    ck_assert_uint_eq(counts_total(&s), 3);
}
END_TEST

UNIT_MAIN("counts", texts, counts)
