/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a policy that cannot be read. */
#include "tree.h"

#include "failing.h"

#include "policy/load.h"

static int failing_error; /* of the drop-in; 0: it can be read */

static int failing_call(const char *call, const char *path, int fd)
{
    (void)call;
    (void)fd;
    return path && strstr(path, "90-narrower.conf") ? failing_error : 0;
}

static void load(const struct tree *t, struct policy *p, struct diags *d)
{
    bool off;

    policy_init(p);
    policy_load(t->fd, p, d, &off);
}

/* A drop-in may narrow any rule: what takes devices counts only when it can be read. */
START_TEST(a_dropin_that_cannot_be_read)
{
    static const int errors[] = {EIO, EMFILE, EACCES, ENOMEM};
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "etc/vfio-bindd.conf",
               "[device one]\nid = 10de:20f1\n[device kept]\nid = 10de:1eb8\ndriver = native\n");
    tree_write(&t, "etc/vfio-bindd.conf.d/90-narrower.conf",
               "[device one]\naddress = 0000:06:00.0\n");
    for (size_t i = 0; i < ELEMENTS(errors); i++) {
        CLEANUP(policy_done) struct policy p, again;
        CLEANUP(diags_done) struct diags d = {0}, none = {0};
        failing_error = errors[i];
        load(&t, &p, &d);
        failing_error = 0;
        ck_assert_uint_gt(d.unread, 0);
        ck_assert(p.incomplete);
        ck_assert_uint_eq(p.n_rules, 1);
        ck_assert(rule_is_native(&p.rules[0]));
        load(&t, &again, &none);
        ck_assert_uint_eq(none.errors, 0);
        ck_assert_uint_eq(again.n_rules, 2);
    }
}
END_TEST

UNIT_MAIN("policy-load", a_dropin_that_cannot_be_read)
