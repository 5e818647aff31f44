/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of physical functions, also while they come and go. */
#include "host/vfs.h"
#include "tree.h"

#define PF "0000:3b:00.0"

static struct device read_physical(const struct tree *t)
{
    struct device d = {0};

    ck_assert_int_eq(pci_addr_parse(PF, &d.addr), 0);
    ck_assert_int_eq(vfs_read(t->fd, &d), 0);
    return d;
}

START_TEST(no_physical_function)
{
    CLEANUP(tree_done) struct tree t = {0};

    tree_init(&t);
    tree_device(&t, PF, MODALIAS_NIC, "e1000e", "1");
    struct device d = read_physical(&t);
    ck_assert_uint_eq(d.vfs_max, 0);
    ck_assert(!d.autoprobe_off);
}
END_TEST

START_TEST(its_functions)
{
    CLEANUP(tree_done) struct tree t = {0};

    tree_init(&t);
    tree_device(&t, PF, MODALIAS_NIC, "e1000e", "1");
    tree_write(&t, "sys/bus/pci/devices/" PF "/sriov_totalvfs", "8\n");
    tree_write(&t, "sys/bus/pci/devices/" PF "/sriov_drivers_autoprobe", "0\n");
    tree_link(&t, "sys/bus/pci/devices/" PF "/virtfn0", "../0000:3b:02.0");
    tree_link(&t, "sys/bus/pci/devices/" PF "/virtfn10", "../0000:3b:03.2");
    tree_link(&t, "sys/bus/pci/devices/" PF "/virtfn", "../0000:3b:04.0");
    struct device d = read_physical(&t);
    ck_assert_uint_eq(d.vfs_max, 8);
    ck_assert_uint_eq(d.n_vfs, 2);
    ck_assert(d.autoprobe_off);
}
END_TEST

/* Its files go, or come, one after the other. If autoprobe wrongly counted as off, we would not
 * turn it off. */
START_TEST(half_there)
{
    CLEANUP(tree_done) struct tree t = {0};

    tree_init(&t);
    tree_device(&t, PF, MODALIAS_NIC, "e1000e", "1");
    tree_write(&t, "sys/bus/pci/devices/" PF "/sriov_totalvfs", "8\n");
    struct device d = read_physical(&t);
    ck_assert_uint_eq(d.vfs_max, 8);
    ck_assert(!d.autoprobe_off);
}
END_TEST

UNIT_MAIN("vfs", no_physical_function, its_functions, half_there)
