/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a policy on trial. */
#include "tree.h"

#include "policy/trial-files.h"

#define RULE "[device a]\nid = 10de:20f1\n"
#define BOOT "8c4b1b2e-5a0e-4c0a-9c9e-0f6f7a1d2c3b"

START_TEST(what_is_written_is_read)
{
    static const struct {
        const char *policy;
        struct trial t;
    } cases[] = {
        {RULE, {.seconds = 600, .boot = BOOT}},
        {RULE, {.seconds = 1}},
        {RULE, {.until = 12345}},
        {"", {.until = 1}},
        {"[device a]\nid = 10de:20f1", {.until = 7}}, /* without a newline at its end */
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const char *policy = cases[i].policy;
        struct trial t;
        size_t size;
        CLEANUP_FREE char *text = trial_text(policy, strlen(policy), &cases[i].t, &size);
        ck_assert_int_eq(trial_parse(text, size, &t), 0);
        ck_assert_uint_eq(t.seconds, cases[i].t.seconds);
        ck_assert_uint_eq(t.until, cases[i].t.until);
        ck_assert_str_eq(t.boot, *cases[i].t.boot || t.until > 0 ? cases[i].t.boot : "-");
        ck_assert_uint_ge(t.policy_size, strlen(policy));
        ck_assert_uint_le(t.policy_size, strlen(policy) + 1);
        ck_assert_int_eq(strncmp(text, policy, strlen(policy)), 0);
    }
}
END_TEST

/* A file that was cut, or that somebody wrote by hand, is no trial. */
START_TEST(anything_else_is_refused)
{
    static const char *const texts[] = {
        "",
        RULE,
        RULE "# vfio-bindctl apply: on trial until 12 s after power-on",
        RULE "# vfio-bindctl apply: on trial until 12 s after power-on \n",
        RULE "# vfio-bindctl apply: on trial until 0 s after power-on\n",
        RULE "# vfio-bindctl apply: on trial until -1 s after power-on\n",
        RULE "# vfio-bindctl apply: on trial until x s after power-on\n",
        RULE "# vfio-bindctl apply: on trial until 12 s after\n",
        RULE "# vfio-bindctl apply: on trial until 12 s after power-on\n# more\n",
        RULE "# vfio-bindctl apply: a boot may use it for 0 s, but not boot -\n",
        RULE "# vfio-bindctl apply: a boot may use it for 604801 s, but not boot -\n",
        RULE "# vfio-bindctl apply: a boot may use it for -1 s, but not boot -\n",
        RULE "# vfio-bindctl apply: a boot may use it for 5 s, but not boot \n",
        RULE "# vfio-bindctl apply: a boot may use it for 5 s, but not boot " BOOT BOOT "\n",
        RULE " # vfio-bindctl apply: on trial until 12 s after power-on\n",
    };

    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        struct trial t;
        ck_assert_msg(trial_parse(texts[i], strlen(texts[i]), &t) == -EINVAL, "%s", texts[i]);
    }
    static const char nul[] = RULE "# vfio-bindctl apply: on trial until 12 s\0after power-on\n";
    struct trial t;
    ck_assert_int_eq(trial_parse(nul, sizeof(nul) - 1, &t), -EINVAL);
}
END_TEST

/* One kind of file is not taken for the other, nor one that others can write. */
START_TEST(each_file_for_its_own_job)
{
    static const char running[] = RULE "# vfio-bindctl apply: on trial until 12 s after power-on\n";
    static const char permit[] =
        RULE "# vfio-bindctl apply: a boot may use it for 5 s, but not boot -\n";
    CLEANUP_FREE char *bytes = NULL, *why = NULL;
    CLEANUP(tree_done) struct tree tree;
    struct trial t;
    char path[256];
    size_t size;

    tree_init(&tree);
    ck_assert_int_eq(trial_read(tree.fd, TRIAL_PATH, &bytes, &size, &t, &why), -ENOENT);
    tree_write(&tree, TRIAL_PATH, permit);
    tree_write(&tree, TRIAL_PERMIT, running);
    ck_assert_int_eq(trial_read(tree.fd, TRIAL_PATH, &bytes, &size, &t, &why), -EINVAL);
    ck_assert_int_eq(trial_read(tree.fd, TRIAL_PERMIT, &bytes, &size, &t, &why), -EINVAL);
    tree_write(&tree, TRIAL_PERMIT, permit);
    ck_assert_int_eq(trial_read(tree.fd, TRIAL_PERMIT, &bytes, &size, &t, &why), 0);
    ck_assert_uint_eq(t.policy_size, strlen(RULE));
    snprintf(path, sizeof(path), "%s/" TRIAL_PERMIT, tree.path);
    ck_assert_int_eq(chmod(path, 0666), 0);
    CLEANUP_FREE char *none = NULL;
    ck_assert_int_eq(trial_read(tree.fd, TRIAL_PERMIT, &none, &size, &t, &why), -EPERM);
    ck_assert(strstr(why, "can be written by everybody") != NULL);
}
END_TEST

START_TEST(both_are_removed)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    ck_assert_int_eq(trial_remove_permit(t.fd), 0);
    ck_assert_int_eq(trial_remove_running(t.fd), 0);
    tree_write(&t, TRIAL_PATH, "x");
    tree_write(&t, TRIAL_PERMIT, "x");
    tree_write(&t, TRIAL_LINK, "x");
    ck_assert_int_eq(trial_remove_permit(t.fd), 1);
    ck_assert_int_eq(rootfs_exists(t.fd, TRIAL_PERMIT), 0);
    ck_assert_int_eq(rootfs_exists(t.fd, TRIAL_LINK), 0);
    ck_assert_int_eq(rootfs_exists(t.fd, TRIAL_PATH), 1);
    ck_assert_int_eq(trial_remove_running(t.fd), 1);
    ck_assert_int_eq(rootfs_exists(t.fd, TRIAL_PATH), 0);
}
END_TEST

UNIT_MAIN("trial", what_is_written_is_read, anything_else_is_refused, each_file_for_its_own_job,
          both_are_removed)
