/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/address.h"

START_TEST(valid)
{
    static const struct {
        const char *text, *full;
    } cases[] = {
        {"0000:06:00.0", "0000:06:00.0"},         {"06:00.0", "0000:06:00.0"},
        {"ffff:ff:1f.7", "ffff:ff:1f.7"},         {"10000:01:00.1", "10000:01:00.1"},
        {"0000:AF:1F.7", "0000:af:1f.7"},         {"0:0:0.0", "0000:00:00.0"},
        {"ffffffff:00:00.0", "ffffffff:00:00.0"},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct pci_addr a;
        ck_assert_msg(pci_addr_parse(cases[i].text, &a) == 0, "%s", cases[i].text);
        ck_assert_str_eq(pci_addr_text(a).s, cases[i].full);
    }
}
END_TEST

START_TEST(invalid)
{
    static const char *const cases[] = {
        "",
        "06",
        "06:00",
        "06:00.",
        "06:00.8",
        "06:20.0",
        "0000:06:00",
        "0000:06:00.0 ",
        " 0000:06:00.0",
        "0000:06:00.00",
        "0000:006:00.0",
        "x:00.0",
        "0000:06:00.0.0",
        "100000000:00:00.0",
        "123:00.0",
        "*",
        "0000:06:00.*",
        "10de:20f1",
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct pci_addr a = {1, 2, 3, 4};
        ck_assert_msg(pci_addr_parse(cases[i], &a) < 0, "\"%s\"", cases[i]);
        ck_assert_msg(a.domain == 1 && a.bus == 2 && a.dev == 3 && a.fn == 4, "changed on failure");
    }
}
END_TEST

START_TEST(order)
{
    static const char *const sorted[] = {"0000:00:1f.7", "0000:01:00.0", "0000:01:00.1",
                                         "0000:01:01.0", "0001:00:00.0", "10000:00:00.0"};
    for (size_t i = 0; i < ELEMENTS(sorted); i++)
        for (size_t j = 0; j < ELEMENTS(sorted); j++) {
            struct pci_addr a, b;
            ck_assert(pci_addr_parse(sorted[i], &a) == 0 && pci_addr_parse(sorted[j], &b) == 0);
            int c = pci_addr_cmp(a, b);
            ck_assert((c > 0) - (c < 0) == (i > j) - (i < j));
            ck_assert(pci_addr_same_slot(a, b) ==
                      (i == j || (i >= 1 && i <= 2 && j >= 1 && j <= 2)));
        }
}
END_TEST

UNIT_MAIN("pciaddr", valid, invalid, order)
