/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a policy that cannot be read. */
#include "tree.h"

#include "failing.h"

#include "policy/load.h"
#include "policy/parse.h"
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

#define MAIN "etc/vfio-bindd.conf"
#define DROPINS "etc/vfio-bindd.conf.d"
#define KEPT "[device kept]\nid = 10de:1eb8\ndriver = native\n"

/* Is the policy in the tree, of which `what` is to be read, taken for one with unread rules? Then
 * only "kept" counts. */
static void check_unread(const struct tree *t, const char *what, bool unread)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};

    load(t, &p, &d);
    ck_assert_msg(d.errors > 0, "%s", what);
    ck_assert_msg((d.unread > 0) == unread, "%s: unread %zu", what, d.unread);
    ck_assert_msg(p.n_rules == (unread ? 1 : 2), "%s: %zu rules", what, p.n_rules);
    ck_assert(rule_is_native(&p.rules[0]) || rule_is_native(&p.rules[1]));
}

static void write_main(struct tree *t)
{
    tree_init(t);
    tree_write(t, MAIN, "[device one]\nid = 10de:20f1\n" KEPT);
}

/* n empty rules, or n comments. */
static void write_much(const struct tree *t, const char *path, size_t n, bool rules)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%zu]\n", rules ? "[device x" : "# 345678", i);
    fclose(f);
    tree_write(t, path, text);
}

/* What the link leads to may be mounted later. */
START_TEST(a_dropin_that_is_a_link_to_nothing)
{
    static const char *const links[] = {DROPINS "/50-x.conf", DROPINS};

    for (size_t i = 0; i < ELEMENTS(links); i++) {
        CLEANUP(tree_done) struct tree t;
        write_main(&t);
        tree_link(&t, links[i], "/srv/site");
        check_unread(&t, links[i], true);
    }
}
END_TEST

START_TEST(a_dropin_that_is_too_much)
{
    for (int i = 0; i < 3; i++) {
        CLEANUP(tree_done) struct tree t;
        write_main(&t);
        if (i == 0)
            write_much(&t, DROPINS "/50-x.conf", POLICY_FILE_MAX / 10, false);
        else if (i == 1)
            tree_write(&t, DROPINS "/50-x.conf", "\xff\xfe[");
        else
            write_much(&t, DROPINS "/50-x.conf", POLICY_RULES_MAX, true);
        check_unread(&t, "too much", true);
    }
}
END_TEST

/* No rules are in there: nothing is unknown. */
START_TEST(a_dropin_that_is_no_file)
{
    CLEANUP(tree_done) struct tree t;

    write_main(&t);
    tree_write(&t, DROPINS "/50-x.conf/nothing", "");
    check_unread(&t, "a directory", false);
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

/* The link is root's, and so is the file; but another file of root's can be put in its place. */
START_TEST(a_link_into_a_folder_of_others)
{
    static const char *const links[] = {MAIN, DROPINS "/50-x.conf", DROPINS};

    for (size_t i = 0; i < ELEMENTS(links); i++) {
        CLEANUP(tree_done) struct tree t;
        tree_init(&t);
        tree_write(&t, "srv/site/conf.d/50-x.conf", "[device a]\nid = 10de:20f1\n");
        tree_link(&t, links[i], i == 2 ? "/srv/site/conf.d" : "/srv/site/conf.d/50-x.conf");
        check_rules(&t, "a", NULL);
        set_mode(&t, "srv/site", 0775);
        check_rules(&t, "", "is below /srv/site, which can be written by a group: run \"chmod g-w");
        set_mode(&t, "srv/site", 01777);
        check_rules(&t, "a", NULL);
    }
}
END_TEST

/* Whoever can write to a folder can make files there: they take no native rule of another folder
 * its protection. A rule that such a file masks does not come back either. */
START_TEST(what_an_untrusted_folder_masks)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, MAIN, "[device a]\nid = 10de:20f1\n");
    tree_write(&t, "usr/lib/vfio-bindd.conf.d/50-x.conf",
               "[device k]\nid = 10de:*\ndriver = native\n[device t]\nid = 8086:*\n");
    tree_write(&t, DROPINS "/50-x.conf",
               "[device k]\nid = 10de:*\naddress = 0000:7f:00.0\n[device u]\nid = 1111:1111\n");
    check_rules(&t, "kua", NULL);
    set_mode(&t, DROPINS, 0777);
    check_rules(&t, "Ka", "this folder can be written by everybody");
    tree_link(&t, DROPINS "/50-x.conf", "/dev/null");
    check_rules(&t, "Ka", "this folder can be written by everybody");
    set_mode(&t, DROPINS, 0755);
    check_rules(&t, "a", NULL);
}
END_TEST

/* Nor do they narrow what a later file protects, or have it come after what takes it. */
START_TEST(an_untrusted_file_before_a_native_rule)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    const struct device gpu = {.addr.bus = 6, .vendor = 0x10de, .device = 0x20f1};

    tree_init(&t);
    tree_write(&t, DROPINS "/10-x.conf",
               "[device k]\nid = 10de:20f1\naddress = 0000:7f:00.0\nclass = 02\n");
    tree_write(&t, DROPINS "/20-x.conf", "[device t]\nid = 10de:*\n");
    tree_write(&t, DROPINS "/50-x.conf", "[device k]\nid = 10de:20f1\ndriver = native\n");
    set_mode(&t, DROPINS "/10-x.conf", 0666);
    load(&t, &p, &d);
    ck_assert_uint_eq(p.n_rules, 2);
    ck_assert_str_eq(p.rules[0].name, "k");
    ck_assert_int_eq(rule_test(&p.rules[0], &gpu), -1);
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
    tree_write(&t, DROPINS "/50-x.conf", "[device one]\nid = 10de:20f1\n" KEPT);
    check_unread(&t, "main file", true);
    tree_write(&t, DROPINS "/50-x.conf", "");
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

/* No initramfs has what is in /run. It is new at every boot, so the policy there is that without
 * it, and not another one. */
START_TEST(dropins_of_this_boot)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(policy_done) struct policy before, now, future;
    CLEANUP(diags_done) struct diags d = {0};
    bool off;

    tree_init(&t);
    tree_write(&t, MAIN, "[device m]\nid = 10de:20f1\n");
    tree_write(&t, "usr/lib/vfio-bindd.conf.d/50-x.conf", "[device x]\nid = 8086:1572\n");
    load(&t, &before, &d);
    tree_write(&t, "run/vfio-bindd.conf.d/40-r.conf", "[device r]\nid = 10de:1eb8\n");
    load(&t, &now, &d);
    ck_assert_uint_eq(now.n_rules, 3);
    ck_assert_uint_eq(now.digest, before.digest);
    tree_write(&t, "run/vfio-bindd.conf.d/50-x.conf", "[device masks]\nid = 10de:1eb8\n");
    policy_init(&future);
    policy_load_lasting(t.fd, &future, &d, &off);
    ck_assert_uint_eq(future.n_files, before.n_files);
    ck_assert_uint_eq(future.digest, before.digest);
    ck_assert_uint_eq(future.n_rules, 2);
}
END_TEST

UNIT_MAIN("policy-load", a_policy_on_trial, dropins_of_this_boot, a_dropin_that_cannot_be_read,
          a_dropin_that_is_a_link_to_nothing, a_dropin_that_is_too_much, a_dropin_that_is_no_file,
          a_link_into_a_folder_of_others, what_an_untrusted_folder_masks,
          an_untrusted_file_before_a_native_rule, files_that_others_can_write,
          settings_that_others_can_write, a_file_of_somebody_else, a_link_to_nothing)
