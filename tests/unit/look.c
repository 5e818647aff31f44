/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read again although no event has announced a change. */
#include "tree.h"

#include "loop/look.h"
#include "policy/parse.h"

#define PF "0000:3b:00.0"
#define VF "0000:3b:02.0"
#define FOLDER "sys/bus/pci/devices/"

struct fixture {
    struct tree tree;
    struct view view;
};

static void fixture_done(struct fixture *f)
{
    tree_done(&f->tree);
    view_clear(&f->view);
}

/* A physical function with one virtual function, which we made, on its native driver; no rule wants
 * it any longer. */
static void set_up(struct fixture *f)
{
    CLEANUP(diags_done) struct diags d = {0};
    struct tree *t = &f->tree;
    struct pci_addr pf;

    *f = (struct fixture){0};
    tree_init(t);
    tree_device(t, PF, MODALIAS_NIC, "i40e", "1");
    tree_write(t, FOLDER PF "/sriov_totalvfs", "8\n");
    tree_write(t, FOLDER PF "/sriov_drivers_autoprobe", "1\n");
    tree_link(t, FOLDER PF "/virtfn0", "../" VF);
    tree_device(t, VF, MODALIAS_NIC, "iavf", "2");
    tree_link(t, FOLDER VF "/physfn", "../" PF);
    tree_interface(t, FOLDER VF "/net/eth1", "0x1002\n", "52:54:00:aa:bb:cc\n");
    f->view.root_fd = t->fd;
    policy_init(&f->view.policy);
    policy_finish(&f->view.policy, &d);
    ck_assert_int_eq(pci_addr_parse(PF, &pf), 0);
    records_get(&f->view.records, pf)->vfs.made = 1;
    ck_assert_int_eq(look_at_all(&f->view, false), 0);
    ck_assert_int_eq(view_plan(&f->view), 0);
    ck_assert_uint_eq(f->view.plan.n_actions, 1);
    ck_assert_int_eq(f->view.plan.actions[0].kind, ACTION_SET_VFS);
}

START_TEST(an_unused_virtual_function_goes)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    ck_assert_uint_eq(look_at_vfs_to_remove(&f.view), 1);
    ck_assert_int_eq(view_plan(&f.view), 0);
    ck_assert_uint_eq(f.view.plan.n_actions, 1);
    ck_assert(!f.view.missed);
}
END_TEST

/* The kernel shows no interface of another network namespace. */
static void hide_interface(const struct tree *t)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/" FOLDER VF "/net/eth1", t->path);
    ck_assert_int_eq(nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Its interface has come up since, or went to a container. */
START_TEST(one_that_came_into_use_stays)
{
    for (int i = 0; i < 2; i++) {
        CLEANUP(fixture_done) struct fixture f;

        set_up(&f);
        if (i == 0)
            tree_interface(&f.tree, FOLDER VF "/net/eth1", "0x1003\n", "52:54:00:aa:bb:cc\n");
        else
            hide_interface(&f.tree);
        ck_assert_uint_eq(look_at_vfs_to_remove(&f.view), 1);
        ck_assert_int_eq(view_plan(&f.view), 0);
        ck_assert_uint_eq(f.view.plan.n_actions, 0);
        ck_assert_int_eq(f.view.plan.vfs[0].state, STATE_BUSY);
    }
}
END_TEST

UNIT_MAIN("look", an_unused_virtual_function_goes, one_that_came_into_use_stays)
