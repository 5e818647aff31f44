/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines in the form in which the kernel writes them. */
#include "tree.h"

#include "failing-path.h"
#include "host/bar-addresses.h"
#include "host/scan.h"

#define DEVICE "0000:07:00.0"
#define FILE_OF(device) "sys/bus/pci/devices/" device "/resource"
#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define MEMORY "0x00000000fb000000 0x00000000fbffffff 0x0000000000040200\n"
#define LARGE "0x0000004000000000 0x000000401fffffff 0x000000000014220c\n"
#define PORTS "0x0000000000001000 0x00000000000010ff 0x0000000000040101\n"
#define PORTS_TAKEN "0x0000000000000000 0x00000000000000ff 0x0000000000040101\n"
#define LARGE_UNSET "0x0000000000000000 0x000000001fffffff 0x000000002014220c\n"
#define ROM_UNSET "0x0000000000000000 0x000000000007ffff 0x0000000020046200\n"

static const struct {
    const char *text;
    uint16_t unassigned;
} cases[] = {
    {MEMORY LARGE NONE PORTS NONE NONE NONE, 0},
    {NONE NONE NONE NONE NONE NONE NONE, 0},
    {PORTS_TAKEN MEMORY NONE NONE NONE NONE NONE, 1},
    {MEMORY LARGE_UNSET NONE LARGE_UNSET NONE PORTS_TAKEN NONE, 1 << 1 | 1 << 3 | 1 << 5},
    {MEMORY NONE NONE NONE NONE NONE ROM_UNSET, 0},                         /* no BAR */
    {MEMORY NONE NONE NONE NONE NONE NONE NONE LARGE_UNSET LARGE_UNSET, 0}, /* of a VF */
    {"", 0},
    {"nonsense\n" LARGE_UNSET, 1 << 1},
};

static struct pci_addr device(void)
{
    struct pci_addr a;

    ck_assert_int_eq(pci_addr_parse(DEVICE, &a), 0);
    return a;
}

START_TEST(the_file)
{
    CLEANUP(tree_done) struct tree t;
    uint16_t unassigned = 7;

    tree_init(&t);
    tree_device(&t, DEVICE, MODALIAS_A100, "vfio-pci", "15");
    ck_assert_int_eq(bar_addresses_missing(t.fd, device(), &unassigned), 0);
    ck_assert_uint_eq(unassigned, 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        tree_write(&t, FILE_OF(DEVICE), cases[i].text);
        ck_assert_int_eq(bar_addresses_missing(t.fd, device(), &unassigned), 0);
        ck_assert_msg(unassigned == cases[i].unassigned, "case %zu: %#x", i, unassigned);
    }
}
END_TEST

/* Only devices on a VFIO driver are examined, each once, or again if that is asked for. An error is
 * not "assigned". */
START_TEST(the_scan)
{
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(tree_done) struct tree t;
    const struct device *d;

    tree_init(&t);
    tree_driver(&t, "vfio-pci");
    tree_device(&t, DEVICE, MODALIAS_A100, "vfio-pci", "15");
    tree_device(&t, "0000:08:00.0", MODALIAS_A100, "nvidia", "16");
    tree_write(&t, FILE_OF(DEVICE), MEMORY);
    tree_write(&t, FILE_OF("0000:08:00.0"), LARGE_UNSET);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert(!scan_bars(t.fd, false, &s));
    d = snapshot_find(&s, device());
    ck_assert(d->bars_read && !d->unassigned && !s.devices[1].unassigned);
    tree_write(&t, FILE_OF(DEVICE), PORTS_TAKEN);
    ck_assert(!scan_bars(t.fd, false, &s));
    ck_assert(scan_bars(t.fd, true, &s) && d->unassigned == 1);
    ck_assert(!scan_bars(t.fd, true, &s));
    failing.part = "/resource";
    failing.error = EMFILE;
    ck_assert(scan_bars(t.fd, true, &s) && d->unassigned == 1);
    ck_assert_int_eq(d->unknown.fact, FACT_BAR_ADDRESSES);
    ck_assert(!scan_bars(t.fd, true, &s));
    failing.part = NULL;
    tree_write(&t, FILE_OF(DEVICE), MEMORY);
    ck_assert(scan_bars(t.fd, true, &s) && !d->unassigned && d->unknown.fact == FACT_NONE);
}
END_TEST

UNIT_MAIN("bar-addresses", the_file, the_scan)
