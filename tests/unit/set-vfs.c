/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker makes of a number of virtual functions that somebody else changes meanwhile. */
#include "tree.h"

#include "failing.h"
#include "write/set-vfs.h"

#define PF "0000:3b:00.0"
#define FOLDER "sys/bus/pci/devices/" PF "/"

static const struct tree *busy; /* somebody else holds the lock of the physical function there */

static void others_make(const struct tree *t, unsigned n)
{
    char link[64], target[32];

    for (unsigned i = 0; i < n; i++) {
        snprintf(link, sizeof(link), FOLDER "virtfn%u", i);
        snprintf(target, sizeof(target), "../0000:3b:02.%u", i);
        tree_link(t, link, target);
    }
}

static int failing_call(const char *call, const char *path, int fd)
{
    const struct tree *t = busy;

    (void)call;
    (void)fd;
    if (!t || !path || !strstr(path, "sriov_numvfs"))
        return 0;
    busy = NULL;
    others_make(t, 4);
    return EBUSY;
}

static int set(const struct tree *t, unsigned number, unsigned there)
{
    char found[FOUND_MAX] = "";
    struct pci_addr pf;

    ck_assert_int_eq(pci_addr_parse(PF, &pf), 0);
    return set_vfs(t->fd, pf, (struct vfs_order){.number = number, .there = there}, found);
}

static void check_number(const struct tree *t, const char *number)
{
    char text[16];

    ck_assert_int_gt(rootfs_read_line(t->fd, FOLDER "sriov_numvfs", text, sizeof(text)), 0);
    ck_assert_str_eq(text, number);
}

static void make_physical(struct tree *t, unsigned n)
{
    tree_init(t);
    tree_device(t, PF, MODALIAS_NIC, "i40e", "1");
    tree_write(t, FOLDER "sriov_numvfs", "-\n");
    others_make(t, n);
}

START_TEST(the_number_that_the_plan_knew)
{
    CLEANUP(tree_done) struct tree t;

    make_physical(&t, 4);
    ck_assert_int_eq(set(&t, 0, 4), 0);
    check_number(&t, "0");
}
END_TEST

/* The plan knew none, or eight of ours. */
START_TEST(another_number_is_not_ours)
{
    static const struct {
        unsigned number, there;
        int result;
    } cases[] = {{8, 0, -ESTALE}, {0, 8, -EEXIST}, {16, 8, -EEXIST}, {4, 8, -EEXIST}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;

        make_physical(&t, 4);
        ck_assert_int_eq(set(&t, cases[i].number, cases[i].there), cases[i].result);
        check_number(&t, "-");
    }
}
END_TEST

/* The write waits while somebody else creates some, and is refused then. */
START_TEST(made_while_we_wait)
{
    CLEANUP(tree_done) struct tree t;

    make_physical(&t, 0);
    busy = &t;
    ck_assert_int_eq(set(&t, 8, 0), -EEXIST);
    check_number(&t, "-");
}
END_TEST

UNIT_MAIN("set-vfs", the_number_that_the_plan_knew, another_number_is_not_ours, made_while_we_wait)
