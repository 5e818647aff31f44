/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon makes of what the initramfs handed back, and what the initramfs leaves it. */
#include "tree.h"

#include "early-pass.h"
#include "loop/early.h"

static const struct pci_addr unused = {0, 6, 0, 0}, root_disk = {0, 7, 0, 0}, bound = {0, 8, 0, 0};

struct fixture {
    struct tree tree;
    struct view view;
};

static void fixture_done(struct fixture *f)
{
    tree_done(&f->tree);
    snapshot_done(&f->view.snapshot);
    records_done(&f->view.records);
}

static void make_run(const struct tree *t)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/run", t->path);
    tree_mkdir(path);
}

static void release(struct fixture *f, struct pci_addr a)
{
    const struct record_event event = {.kind = RECORD_EVENT_RELEASE};

    records_apply(&f->view.records, a, &event);
    ck_assert(record_is_released(records_find(&f->view.records, a)));
}

/* The initramfs has handed back two disks, of which the host uses one now. */
static void set_up(struct fixture *f)
{
    static const struct pci_addr addrs[] = {{0, 6, 0, 0}, {0, 7, 0, 0}, {0, 8, 0, 0}};

    *f = (struct fixture){.view.early = {.there = true, .gave_back = true, .policy = 0xabc}};
    tree_init(&f->tree);
    make_run(&f->tree);
    f->view.root_fd = f->tree.fd;
    for (size_t i = 0; i < ELEMENTS(addrs); i++) {
        struct device d = {.addr = addrs[i]};
        d.use = i == 1 ? strdup("has the file system mounted on /") : NULL;
        ck_assert_int_eq(snapshot_put(&f->view.snapshot, &d), 0);
        ck_assert_ptr_nonnull(records_get(&f->view.records, addrs[i]));
    }
    release(f, unused);
    release(f, root_disk);
}

static bool is_released(const struct fixture *f, struct pci_addr a)
{
    return record_is_released(records_find(&f->view.records, a));
}

START_TEST(what_was_handed_back_is_taken_again)
{
    CLEANUP(fixture_done) struct fixture f;
    struct early_pass left;

    set_up(&f);
    early_take_again(&f.view);
    ck_assert(!is_released(&f, unused));
    ck_assert(is_released(&f, root_disk));
    ck_assert(!is_released(&f, bound));
    /* What is released from now on, somebody has asked for: not at the next start. */
    ck_assert_int_eq(early_pass_read(f.tree.fd, &left), 0);
    ck_assert(left.there && !left.gave_back);
    ck_assert_uint_eq(left.policy, 0xabc);
    release(&f, unused);
    f.view.early = left;
    early_take_again(&f.view);
    ck_assert(is_released(&f, unused));
}
END_TEST

START_TEST(what_was_released_before_stays_so)
{
    CLEANUP(fixture_done) struct fixture f;
    struct early_pass left;

    set_up(&f);
    f.view.early.gave_back = false;
    early_take_again(&f.view);
    ck_assert(is_released(&f, unused) && is_released(&f, root_disk));
    ck_assert_int_eq(early_pass_read(f.tree.fd, &left), 0);
    ck_assert(!left.there); /* nothing was written */
}
END_TEST

START_TEST(passes)
{
    static const struct early_pass cases[] = {
        {.there = true},
        {.there = true, .policy = 0xdeadbeef},
        {.there = true, .ended = true, .policy = 1},
        {.there = true, .ended = true, .gave_back = true, .policy = 0xffffffff},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct tree tree;
        struct early_pass read;
        tree_init(&tree);
        make_run(&tree);
        ck_assert_int_eq(early_pass_read(tree.fd, &read), 0);
        ck_assert(!read.there);
        ck_assert_int_eq(early_pass_write(tree.fd, &cases[i]), 0);
        ck_assert_int_eq(early_pass_read(tree.fd, &read), 0);
        ck_assert(read.there && read.ended == cases[i].ended &&
                  read.gave_back == cases[i].gave_back && read.policy == cases[i].policy);
        tree_done(&tree);
    }
}
END_TEST

/* The script in the initramfs makes this file before it runs the program. */
START_TEST(a_pass_that_left_no_word)
{
    struct tree tree;
    struct early_pass read;

    tree_init(&tree);
    tree_write(&tree, "run/vfio-bindd/early", "\n");
    ck_assert_int_eq(early_pass_read(tree.fd, &read), 0);
    ck_assert(read.there && !read.ended && read.policy == 0);
    tree_done(&tree);
}
END_TEST

UNIT_MAIN("early", what_was_handed_back_is_taken_again, what_was_released_before_stays_so, passes,
          a_pass_that_left_no_word)
