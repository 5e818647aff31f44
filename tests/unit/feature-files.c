/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files in /run, and how they are published. */
#include "tree.h"

#include <errno.h>
#include <time.h>

#include "replace.h"
#include "tell/feature-files.h"
#include "tell/journal.h"
#include "tell/publish.h"

/* The journal of this test. */
static int n_errors, n_notices;

void journal_plain(int priority, const char *format, ...)
{
    (void)format;
    n_errors += priority <= 3;
    n_notices += priority == 5;
}

struct fixture {
    struct tree tree;
    sd_event *event;
    struct feature_files *files;
    struct view view;
};

static void begin(struct fixture *f, uint64_t interval_usec)
{
    *f = (struct fixture){0};
    n_errors = n_notices = 0;
    tree_init(&f->tree);
    tree_write(&f->tree, "run/.keep", "");
    policy_init(&f->view.policy);
    ck_assert_int_ge(sd_event_new(&f->event), 0);
    ck_assert_int_eq(feature_files_new(f->event, f->tree.fd, interval_usec, &f->files), 0);
}

static void end(struct fixture *f)
{
    feature_files_free(f->files);
    sd_event_unref(f->event);
    policy_done(&f->view.policy);
    tree_done(&f->tree);
}

static bool exists(const struct fixture *f, const char *path)
{
    return faccessat(f->tree.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool says(const struct fixture *f, const char *path, const char *text)
{
    CLEANUP_FREE char *all = tree_read(&f->tree, path);
    return strstr(all, text) != NULL;
}

#define FEATURES "run/vfio-bindd/features"
#define METRICS "run/vfio-bindd/metrics.prom"
#define READY "vfio-bindd.ready=true\n"
#define NOT_READY "vfio-bindd.ready=false\n"

START_TEST(nothing_unless_asked_for)
{
    struct fixture f;

    begin(&f, 0);
    tree_write(&f.tree, FEATURES, "of an earlier run");
    feature_files_update(f.files, &f.view);
    ck_assert(!exists(&f, FEATURES) && !exists(&f, METRICS));
    end(&f);
}
END_TEST

START_TEST(written_changed_and_removed)
{
    struct fixture f;
    struct stat first, second;

    begin(&f, 0);
    f.view.policy.node_features = f.view.policy.metrics = true;
    feature_files_update(f.files, &f.view);
    ck_assert(says(&f, FEATURES, READY) && says(&f, METRICS, "vfio_bindd_ready 1\n"));
    ck_assert_int_eq(fstatat(f.tree.fd, FEATURES, &first, 0), 0);
    ck_assert_uint_eq(first.st_mode & 0777, 0644);

    feature_files_update(f.files, &f.view); /* no news */
    ck_assert_int_eq(fstatat(f.tree.fd, FEATURES, &second, 0), 0);
    ck_assert_uint_eq(first.st_ino, second.st_ino);

    f.view.n_errors = 1;
    feature_files_update(f.files, &f.view);
    ck_assert(says(&f, FEATURES, NOT_READY));

    f.view.policy.metrics = false;
    feature_files_update(f.files, &f.view);
    ck_assert(exists(&f, FEATURES) && !exists(&f, METRICS));
    ck_assert_int_eq(n_errors, 0);
    feature_files_free(f.files);
    f.files = NULL;
    ck_assert(!exists(&f, FEATURES));
    end(&f);
}
END_TEST

START_TEST(not_twice_within_the_interval)
{
    struct fixture f;

    begin(&f, 3600 * USEC_PER_SEC);
    f.view.policy.node_features = true;
    feature_files_update(f.files, &f.view);
    f.view.n_errors = 1;
    feature_files_update(f.files, &f.view);
    ck_assert(says(&f, FEATURES, READY));
    end(&f);

    begin(&f, 100000);
    f.view.policy.node_features = true;
    feature_files_update(f.files, &f.view);
    f.view.n_errors = 1;
    feature_files_update(f.files, &f.view);
    for (int i = 0; i < 300 && !says(&f, FEATURES, NOT_READY); i++)
        ck_assert_int_ge(sd_event_run(f.event, 100000), 0);
    ck_assert(says(&f, FEATURES, NOT_READY));
    end(&f);
}
END_TEST

START_TEST(the_expiry_is_ten_minutes_ahead)
{
    struct fixture f;
    struct tm tm = {0};

    begin(&f, 0);
    f.view.policy.node_features = true;
    feature_files_update(f.files, &f.view);
    CLEANUP_FREE char *text = tree_read(&f.tree, FEATURES);
    const char *end_of_time =
        strptime(text, "# +expiry-time=%Y-%m-%dT%H:%M:%SZ\n" /* nothing before it */, &tm);
    ck_assert_msg(end_of_time != NULL, "%s", text);
    double left = difftime(timegm(&tm), time(NULL));
    ck_assert_msg(left > 500 && left <= 600, "%f s", left);
    end(&f);
}
END_TEST

/* A folder that has the name of the temporary file stands for a disk that is full. */
START_TEST(what_cannot_be_written_does_not_mislead)
{
    struct fixture f;
    char folder[128];

    begin(&f, 0);
    f.view.policy.node_features = f.view.policy.metrics = true;
    feature_files_update(f.files, &f.view);
    snprintf(folder, sizeof(folder), "%s/run/vfio-bindd/.features.new", f.tree.path);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    f.view.n_errors = 1;
    feature_files_update(f.files, &f.view);
    ck_assert(!exists(&f, FEATURES));
    ck_assert(says(&f, METRICS, "vfio_bindd_ready 0\n"));
    ck_assert_int_eq(n_errors, 1);

    for (int i = 0; i < 3; i++) /* no news: not tried again, nor said */
        feature_files_update(f.files, &f.view);
    ck_assert_int_eq(n_errors, 1);
    f.view.n_errors = 0; /* tried again, not said again */
    feature_files_update(f.files, &f.view);
    ck_assert_int_eq(n_errors, 1);

    ck_assert_int_eq(rmdir(folder), 0);
    f.view.n_errors = 1;
    feature_files_update(f.files, &f.view);
    ck_assert(says(&f, FEATURES, NOT_READY));
    ck_assert_int_eq(n_errors, 1);
    ck_assert_int_eq(n_notices, 1);
    end(&f);
}
END_TEST

START_TEST(a_link_is_replaced_and_not_followed)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "victim", "untouched");
    tree_link(&t, "file", "victim");
    tree_link(&t, ".file.new", "victim");
    ck_assert_int_eq(replace_file(t.fd, "file", 0640, "new", 3), 0);
    CLEANUP_FREE char *victim = tree_read(&t, "victim"), *file = tree_read(&t, "file");
    ck_assert_str_eq(victim, "untouched");
    ck_assert_str_eq(file, "new");
    ck_assert_int_eq(faccessat(t.fd, ".file.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}
END_TEST

START_TEST(published_and_withdrawn)
{
    CLEANUP(tree_done) struct tree t;
    char a[128], b[128], a_copy[128], b_copy[128], nowhere[128];

    tree_init(&t);
    tree_write(&t, "run/a", "A");
    tree_write(&t, "run/b", "B");
    tree_write(&t, "to/a", "old");
    snprintf(a, sizeof(a), "%s/run/a", t.path);
    snprintf(b, sizeof(b), "%s/run/b", t.path);
    snprintf(a_copy, sizeof(a_copy), "%s/to/a", t.path);
    snprintf(b_copy, sizeof(b_copy), "%s/to/b", t.path);
    snprintf(nowhere, sizeof(nowhere), "%s/nowhere/b", t.path);

    ck_assert_int_eq(publish_files((char *[]){a, a_copy, b, nowhere}, 4, "nowhere"), 0);
    CLEANUP_FREE char *copied = tree_read(&t, "to/a");
    ck_assert_str_eq(copied, "A");
    ck_assert_int_eq(faccessat(t.fd, "nowhere", F_OK, 0), -1);

    unlink(a); /* b is done whatever comes of others */
    ck_assert_int_eq(publish_files((char *[]){t.path, a_copy, b, b_copy}, 4, "nowhere"), -EISDIR);
    CLEANUP_FREE char *second = tree_read(&t, "to/b");
    ck_assert_str_eq(second, "B");
    ck_assert_int_eq(faccessat(t.fd, "to/a", F_OK, 0), 0); /* unreadable is not gone */
    ck_assert_int_eq(publish_files((char *[]){a, a_copy, b, b_copy}, 4, "nowhere"), 0);
    ck_assert_int_eq(faccessat(t.fd, "to/a", F_OK, 0), -1);
    ck_assert_int_eq(publish_files((char *[]){a, a_copy}, 2, "nowhere"), 0); /* gone already */
    ck_assert_int_eq(publish_files((char *[]){b, t.path}, 2, "nowhere"), -EISDIR);
}
END_TEST

/* Kubelet's counts go behind the metrics that name resources, and behind nothing else. */
START_TEST(published_with_kubelets_counts)
{
    static const char metrics[] = "# x\nvfio_bindd_offered_devices{resource=\"a.com/x\"} 3\n"
                                  "vfio_bindd_offered_devices{resource=\"a.com/y\"} 1\n";
    static const struct {
        const char *checkpoint, *added;
    } cases[] = {
        {"{\"Data\":{\"RegisteredDevices\":{\"a.com/x\":[\"16\",\"17\"],\"b\":null}}}",
         "# HELP vfio_bindd_kubelet_devices Healthy devices of a resource that kubelet counts.\n"
         "# TYPE vfio_bindd_kubelet_devices gauge\n"
         "vfio_bindd_kubelet_devices{resource=\"a.com/x\"} 2\n"
         "vfio_bindd_kubelet_devices{resource=\"a.com/y\"} 0\n"},
        {"no checkpoint", ""},
        {NULL, ""},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        char m[128], f[128], m_copy[128], f_copy[128], checkpoint[128], expected[1024];

        tree_init(&t);
        tree_write(&t, "run/m", metrics);
        tree_write(&t, "run/f", "F\n");
        tree_write(&t, "to/m", "old");
        if (cases[i].checkpoint)
            tree_write(&t, "kubelet", cases[i].checkpoint);
        snprintf(m, sizeof(m), "%s/run/m", t.path);
        snprintf(f, sizeof(f), "%s/run/f", t.path);
        snprintf(m_copy, sizeof(m_copy), "%s/to/m", t.path);
        snprintf(f_copy, sizeof(f_copy), "%s/to/f", t.path);
        snprintf(checkpoint, sizeof(checkpoint), "%s/kubelet", t.path);
        ck_assert_int_eq(publish_files((char *[]){m, m_copy, f, f_copy}, 4, checkpoint), 0);
        CLEANUP_FREE char *copied = tree_read(&t, "to/m");
        CLEANUP_FREE char *other = tree_read(&t, "to/f");
        snprintf(expected, sizeof(expected), "%s%s", metrics, cases[i].added);
        ck_assert_str_eq(copied, expected);
        ck_assert_str_eq(other, "F\n");
    }
}
END_TEST

/* A folder on the way may belong to somebody who would have us write elsewhere. */
START_TEST(no_link_is_followed)
{
    CLEANUP(tree_done) struct tree t;
    char a[128], secret[128], link[128], part[128], copy[128];

    tree_init(&t);
    tree_write(&t, "run/a", "A");
    tree_write(&t, "secret", "S");
    tree_write(&t, "etc/passwd", "P");
    tree_link(&t, "var/prometheus/node", "../../etc");
    tree_link(&t, "var/link", "prometheus");
    tree_link(&t, "run/link", "../secret");
    tree_write(&t, "var/prometheus/real/passwd", "old");
    snprintf(a, sizeof(a), "%s/run/a", t.path);
    snprintf(secret, sizeof(secret), "%s/run/link", t.path);
    snprintf(link, sizeof(link), "%s/var/prometheus/node/passwd", t.path);
    snprintf(part, sizeof(part), "%s/var/link/real/passwd", t.path);
    snprintf(copy, sizeof(copy), "%s/var/prometheus/real/passwd", t.path);

    ck_assert_int_eq(publish_files((char *[]){a, link}, 2, "nowhere"), -ELOOP);
    ck_assert_int_eq(publish_files((char *[]){a, part}, 2, "nowhere"), -ELOOP);
    ck_assert_int_eq(publish_files((char *[]){secret, copy}, 2, "nowhere"), -ELOOP);
    CLEANUP_FREE char *passwd = tree_read(&t, "etc/passwd");
    ck_assert_str_eq(passwd, "P");
    CLEANUP_FREE char *old = tree_read(&t, "var/prometheus/real/passwd");
    ck_assert_str_eq(old, "old");
    snprintf(part, sizeof(part), "%s/var/prometheus/../prometheus/real/passwd", t.path);
    ck_assert_int_eq(publish_files((char *[]){a, part}, 2, "nowhere"), -EINVAL);
    ck_assert_int_eq(publish_files((char *[]){a, copy}, 2, "nowhere"), 0);
    unlink(a); /* nor is anything removed behind a link */
    ck_assert_int_eq(publish_files((char *[]){a, link}, 2, "nowhere"), -ELOOP);
    CLEANUP_FREE char *still = tree_read(&t, "etc/passwd");
    ck_assert_str_eq(still, "P");
}
END_TEST

UNIT_MAIN("feature-files", nothing_unless_asked_for, written_changed_and_removed,
          not_twice_within_the_interval, the_expiry_is_ten_minutes_ahead,
          what_cannot_be_written_does_not_mislead, a_link_is_replaced_and_not_followed,
          published_and_withdrawn, published_with_kubelets_counts, no_link_is_followed)
