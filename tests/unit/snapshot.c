/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/snapshot-text.h"

static const char text[] =
    "snapshot cold-boot=1 unsafe-noiommu=0\n"
    "registered vfio-pci\n"
    "device 0000:00:00.0 id=8086:29c0 subsystem=1af4:1100 class=060000\n"
    "device 0000:06:00.0 id=10de:20f1 subsystem=10de:1463 class=030200 detailed=1 group=14 node=1 "
    "driver=vfio-pci slot=PCIe%20slot%25%3d6 serial=48-b0-2d-ff-ff-12-34-56\n"
    "device 0000:06:00.1 id=10de:1aef subsystem=10de:1463 class=040300 detailed=1 bridge=1 vf=1\n";

START_TEST(round_trip)
{
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP_FREE char *again = NULL;
    unsigned line = 0;
    size_t size;

    ck_assert_msg(snapshot_read(&s, text, &line) == 0, "line %u", line);
    ck_assert_str_eq(s.devices[1].slot, "PCIe slot%=6");
    FILE *f = open_memstream(&again, &size);
    ck_assert_int_eq(snapshot_write(&s, f), 0);
    fclose(f);
    ck_assert_str_eq(again, "snapshot cold-boot=1 unsafe-noiommu=0\n"
                            "registered vfio-pci\n"
                            "device 0000:00:00.0 id=8086:29c0 subsystem=1af4:1100 class=060000\n"
                            "device 0000:06:00.0 id=10de:20f1 subsystem=10de:1463 class=030200 "
                            "detailed=1 group=14 node=1 driver=vfio-pci slot=PCIe%20slot%25=6 "
                            "serial=48-b0-2d-ff-ff-12-34-56\n"
                            "device 0000:06:00.1 id=10de:1aef subsystem=10de:1463 class=040300 "
                            "detailed=1 bridge=1 vf=1\n");
}
END_TEST

START_TEST(bad_lines)
{
    static const char *const cases[] = {
        "nonsense",
        "device",
        "device x id=10de:20f1",
        "device 0000:06:00.0 id=10de",
        "device 0000:06:00.0 id=10de:20f1x",
        "device 0000:06:00.0 class=3",
        "device 0000:06:00.0 class=03020g",
        "device 0000:06:00.0 group=-1",
        "device 0000:06:00.0 group=4294967295",
        "device 0000:06:00.0 vf=yes",
        "device 0000:06:00.0 driver=nvidia", /* details without detailed=1 */
        "device 0000:06:00.0 driver",
        "device 0000:06:00.0 slot=a unknown=1",
        "snapshot cold-boot=2",
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(snapshot_done) struct snapshot s = {0};
        CLEANUP_FREE char *whole = NULL;
        unsigned line = 0;
        ck_assert(asprintf(&whole, "# comment\n%s\n", cases[i]) > 0);
        ck_assert_msg(snapshot_read(&s, whole, &line) < 0, "%s", cases[i]);
        ck_assert_uint_eq(line, 2);
    }
}
END_TEST

START_TEST(put_find_remove)
{
    CLEANUP(snapshot_done) struct snapshot s = {0};

    for (unsigned i = 0; i < 64; i++) {
        struct device d = {.addr = {0, (uint8_t)(i * 37 % 64), 0, 0},
                           .device = (uint16_t)i,
                           .driver = i % 2 ? "nvidia" : "vfio-pci",
                           .slot = strdup("3")};
        ck_assert_int_eq(snapshot_put(&s, &d), 0);
        d.slot = strdup("4");
        ck_assert_int_eq(snapshot_put(&s, &d), 0); /* again: replaced */
    }
    ck_assert_uint_eq(s.n, 64);
    ck_assert_uint_eq(s.n_names, 2);
    for (size_t i = 1; i < s.n; i++)
        ck_assert(pci_addr_cmp(s.devices[i - 1].addr, s.devices[i].addr) < 0);
    for (unsigned i = 0; i < 64; i += 2)
        snapshot_remove(&s, (struct pci_addr){0, (uint8_t)i, 0, 0});
    snapshot_remove(&s, (struct pci_addr){1, 0, 0, 0}); /* not there: nothing happens */
    ck_assert_uint_eq(s.n, 32);
    for (unsigned i = 0; i < 64; i++)
        ck_assert((snapshot_find(&s, (struct pci_addr){0, (uint8_t)i, 0, 0}) != NULL) ==
                  (i % 2 == 1));
}
END_TEST

UNIT_MAIN("snapshot", round_trip, bad_lines, put_find_remove)
