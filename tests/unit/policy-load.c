/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a policy that cannot be read. */
#include "tree.h"

#include "failing.h"

#include "policy/load.h"
#include "policy/trial.h"

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

/* -- who may have written it -- */

static void set_mode(const struct tree *t, const char *path, mode_t mode)
{
    char full[512];

    snprintf(full, sizeof(full), "%s/%s", t->path, path);
    ck_assert_int_eq(chmod(full, mode), 0);
}

/* The names of the rules that count, one letter each; capitals: native ones. */
static void check_rules(const struct tree *t, const char *names, const char *words)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    char found[32] = "";

    load(t, &p, &d);
    for (size_t i = 0; i < p.n_rules; i++)
        found[i] =
            (char)(rule_is_native(&p.rules[i]) ? toupper(p.rules[i].name[0]) : p.rules[i].name[0]);
    ck_assert_str_eq(found, names);
    ck_assert_uint_eq(d.unread, 0);
    ck_assert(p.incomplete == (words != NULL));
    if (!words) {
        ck_assert_uint_eq(d.errors, 0);
        return;
    }
    CLEANUP_FREE char *text = diag_text(&d.v[0]);
    ck_assert_msg(strstr(text, words) != NULL, "%s", text);
}

#define MAIN "etc/vfio-bindd.conf"
#define DROPINS "etc/vfio-bindd.conf.d"

static void write_policies(const struct tree *t)
{
    tree_write(t, MAIN,
               "[device a]\nid = 10de:20f1\n[device b]\nid = 10de:20f2\n"
               "[device c]\nid = 10de:20f3\ndriver = native\n");
    tree_write(t, DROPINS "/50-x.conf",
               "[device b]\naddress = 0000:06:00.0\n"
               "[device c]\nid = 10de:*\ndriver = vfio-pci\n"
               "[device d]\nid = 8086:*\n[device e]\nid = 8086:1572\ndriver = native\n");
}

/* What others can write takes no device, nor does a rule of another file that it changes; but what
 * is to be left alone stays so. */
START_TEST(files_that_others_can_write)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    write_policies(&t);
    set_mode(&t, DROPINS "/50-x.conf", 0644);
    check_rules(&t, "dEabc", "can never match"); /* e comes after d */
    set_mode(&t, DROPINS "/50-x.conf", 0666);
    check_rules(&t, "EaC",
                "/" DROPINS
                "/50-x.conf: this file can be written by everybody: run \"chmod go-w /" DROPINS
                "/50-x.conf\"");
    set_mode(&t, DROPINS "/50-x.conf", 0600);
    set_mode(&t, DROPINS, 0777);
    check_rules(&t, "EaC",
                "/" DROPINS ": this folder can be written by everybody: run \"chmod go-w /" DROPINS
                "\"");
    set_mode(&t, DROPINS, 0755);
    set_mode(&t, MAIN, 0646);
    check_rules(&t, "dE", "/" MAIN ": this file can be written by everybody: run \"chmod o-w");
}
END_TEST

/* The daemon's own settings are nobody else's either. */
START_TEST(settings_that_others_can_write)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};

    tree_init(&t);
    tree_write(&t, MAIN, "[daemon]\nboot-deadline = 60s\n");
    set_mode(&t, MAIN, 0666);
    load(&t, &p, &d);
    ck_assert_uint_eq(p.boot_deadline_usec, 10 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_file_of_somebody_else)
{
    CLEANUP(tree_done) struct tree t;
    char full[512];

    if (geteuid() != 0) /* the table of unit test trust has it for every user */
        return;
    tree_init(&t);
    tree_write(&t, MAIN, "[device a]\nid = 10de:20f1\n");
    check_rules(&t, "a", NULL);
    snprintf(full, sizeof(full), "%s/" MAIN, t.path);
    ck_assert_int_eq(chown(full, 1000, 0), 0);
    check_rules(&t, "", "chown root:root /" MAIN);
}
END_TEST

START_TEST(a_link_to_nothing)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "usr/lib/vfio-bindd.conf", "[device a]\nid = 10de:20f1\n");
    check_rules(&t, "a", NULL);
    tree_link(&t, MAIN, "/srv/policy.conf");
    check_rules(&t, "", "/" MAIN ": this is a link to a file that does not exist");
    tree_write(&t, "srv/policy.conf", "[device b]\nid = 10de:20f1\n");
    check_rules(&t, "b", NULL);
}
END_TEST

/* A policy on trial masks the main file until its time is over, and for no longer; drop-ins stay.
 */
START_TEST(a_policy_on_trial)
{
    static const struct {
        const char *end; /* the last line */
        mode_t mode;
        const char *rules;
    } cases[] = {
        {"# vfio-bindctl apply: on trial until 900000000000 s after power-on\n", 0644, "dt"},
        {"# vfio-bindctl apply: on trial until 1 s after power-on\n", 0644, "dm"},
        {"# vfio-bindctl apply: on trial until 900000000000 s after power-on\n", 0666, "dm"},
        {"# vfio-bindctl apply: a boot may use it for 5 s, but not boot -\n", 0644, "dm"},
        {"# nothing\n", 0644, "dm"},
    };
    CLEANUP(tree_done) struct tree t;
    char text[256];

    tree_init(&t);
    tree_write(&t, MAIN, "[device m]\nid = 10de:20f1\n");
    tree_write(&t, DROPINS "/50-x.conf", "[device d]\nid = 8086:1572\n");
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        snprintf(text, sizeof(text), "[device t]\nid = 10de:20f1\n%s", cases[i].end);
        tree_write(&t, TRIAL_PATH, text);
        set_mode(&t, TRIAL_PATH, cases[i].mode);
        check_rules(&t, cases[i].rules, NULL);
    }
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    bool off;
    snprintf(text, sizeof(text), "[device t]\nid = 10de:20f1\n%s", cases[0].end);
    tree_write(&t, TRIAL_PATH, text);
    policy_init(&p);
    policy_load_lasting(t.fd, &p, &d, &off);
    ck_assert_str_eq(p.rules[1].name, "m");
    ck_assert_uint_eq(p.trial_until, 0);
}
END_TEST

UNIT_MAIN("policy-load", a_policy_on_trial, a_dropin_that_cannot_be_read,
          files_that_others_can_write, settings_that_others_can_write, a_file_of_somebody_else,
          a_link_to_nothing)
