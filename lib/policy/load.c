/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "policy/parse.h"
#include "policy/trial-files.h"

#define DROPINS_READ 65536 /* maximum number of names in a folder of drop-ins */
#define DROPINS_USED (POLICY_FILES_MAX - 1)

/* From the highest precedence to the lowest. The daemon can access only some folders of /run, so
 * the main file is not there. */
static const char *const folders[] = {"etc", "run", "usr/local/lib", "usr/lib"};
static const char *const main_folders[] = {"etc", "usr/local/lib", "usr/lib"};

/* Could there be rules in the file? What a link leads to may be on a file system that is not
 * mounted yet. A directory or a device has none. */
static bool may_have_rules(int error)
{
    return error != -EISDIR && error != -EINVAL;
}

static const char *read_problem(int error)
{
    switch (error) {
    case -EISDIR:
        return "this is a directory: the policy is a file (drop-ins go to vfio-bindd.conf.d/)";
    case -EINVAL:
        return "this is no regular file";
    case -EFBIG:
        return "this file is larger than 1 MiB: it cannot be a policy";
    case -EACCES:
        return geteuid() != 0
                   ? "no permission to read this file: run this as root"
                   : "no permission to read this file: vfio-bindd runs as root, so check its owner "
                     "and mode (root, 0644), and the security module's log";
    case -ENOENT:
        return "there is no such file";
    default:
        return strerror(-error);
    }
}

static void add_read_problem(struct diags *d, const char *name, int error)
{
    diags_add(d, DIAG_ERROR, name, 0, "%s", read_problem(error));
    d->unread += may_have_rules(error);
    d->denied += error == -EACCES;
}

static int read_result(struct diags *d, const char *name, int r)
{
    if (r == -E2BIG) {
        diags_add(d, DIAG_ERROR, name, 0, "more than %d files: this one is not used",
                  POLICY_FILES_MAX);
        d->unread++;
    } else if (r < 0 && r != -ENOENT)
        add_read_problem(d, name, r);
    return r == -ENOENT ? r : 0;
}

/* `name` is the path as the administrator knows it. Returns -ENOENT silently, so that the caller
 * can look elsewhere. Every other problem is reported; the file still masks those of lower
 * precedence, as if it had been read. */
static int load_file(int root_fd, const char *path, const char *name, bool trusted,
                     struct policy *p, struct diags *d)
{
    CLEANUP_FREE char *bytes = NULL, *why = NULL;
    size_t size;
    int r = rootfs_read_trusted(root_fd, path, POLICY_FILE_MAX, true, &bytes, &size, &why);

    if (r >= 0 && why)
        diags_add(d, DIAG_ERROR, name, 0, "this file %s; until then its rules take no device", why);
    if (r >= 0)
        r = (trusted && !why ? policy_parse : policy_parse_untrusted)(p, name, bytes, size, d);
    return read_result(d, name, r);
}

/* A file given on the command line: it is not in force, so its owner does not matter. */
static int check_file(int root_fd, const char *path, const char *name, struct policy *p,
                      struct diags *d)
{
    CLEANUP_FREE char *bytes = NULL;
    size_t size;
    int r = rootfs_read_file(root_fd, path, POLICY_FILE_MAX, &bytes, &size);

    if (r >= 0)
        r = policy_parse(p, name, bytes, size, d);
    return read_result(d, name, r);
}

struct dropin {
    char *name;
    size_t folder; /* index into folders */
    bool trusted;  /* only root can change this folder, and those that mask it */
};

/* Of the same name, the one that is masked comes first: the other cannot change its native rules.
 */
static int dropins_by_name(const void *x, const void *y)
{
    const struct dropin *a = x, *b = y;
    int r = strcmp(a->name, b->name);

    return r != 0 ? r : (a->folder < b->folder) - (a->folder > b->folder);
}

struct dropins {
    struct dropin *v;
    size_t n, allocated;
};

static void dropins_done(struct dropins *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].name);
    free(l->v);
}

/* A folder of higher precedence masks it. If others can write to that folder, it only keeps the
 * drop-in's rules from taking devices: the native ones still protect. */
static int add_dropin(struct dropins *l, size_t folder, bool trusted, const char *name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!streq(l->v[i].name, name))
            continue;
        if (l->v[i].trusted)
            return 0;
        trusted = false;
    }
    if (!grow(&l->v, &l->allocated, l->n, sizeof(*l->v)))
        return -ENOMEM;
    l->v[l->n].name = strdup(name);
    l->v[l->n].folder = folder;
    l->v[l->n].trusted = trusted;
    return l->v[l->n].name ? (l->n++, 0) : -ENOMEM;
}

static bool is_dropin_name(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && name[0] != '.' && streq(name + n - 5, ".conf");
}

/* Whoever can write to the folder can add and remove files. */
static bool is_trusted_folder(int root_fd, DIR *dir, const char *path, struct diags *d)
{
    CLEANUP_FREE char *why = NULL, *name = NULL;
    int r = asprintf(&name, "/%s", path);

    if (r < 0)
        name = NULL;
    r = r < 0 ? -ENOMEM : rootfs_is_trusted(root_fd, dirfd(dir), name, &why);
    if (r < 0)
        add_read_problem(d, name ? name : path, r);
    else if (r == 0)
        diags_add(d, DIAG_ERROR, name, 0,
                  "this folder %s; until then the rules in it take no device", why);
    return r > 0;
}

/* A link to nothing is no missing folder: what it leads to may not be mounted yet. */
static bool is_dangling(int root_fd, const char *path, const DIR *dir)
{
    return !dir && rootfs_exists(root_fd, path) > 0;
}

static void list_folder(int root_fd, size_t folder, struct dropins *l, struct diags *d)
{
    char path[64];
    const struct dirent *e;

    snprintf(path, sizeof(path), "%s/vfio-bindd.conf.d", folders[folder]);
    CLEANUP(closedirp) DIR *dir;
    int error = rootfs_list(root_fd, path, &dir);
    if (error == 0 && is_dangling(root_fd, path, dir))
        error = -ENOENT;
    const bool trusted = dir && is_trusted_folder(root_fd, dir, path, d);
    while (error >= 0 && (error = rootfs_next(dir, &e)) > 0)
        if (is_dropin_name(e->d_name) && l->n < DROPINS_READ)
            error = add_dropin(l, folder, trusted, e->d_name);
    if (error < 0) {
        char name[72];
        snprintf(name, sizeof(name), "/%s", path);
        diags_add(d, DIAG_ERROR, name, 0, "cannot read this folder: %s", strerror(-error));
        d->unread += error != -ENOTDIR; /* a file has no drop-ins in it */
        d->denied += error == -EACCES;
    }
}

static bool is_masked(int root_fd, const char *path, const char *name, struct diags *d)
{
    int r = rootfs_is_mask(root_fd, path);

    if (r < 0)
        add_read_problem(d, name, r);
    return r > 0;
}

static void load_dropins(int root_fd, struct policy *p, struct diags *d, bool lasting)
{
    CLEANUP(dropins_done) struct dropins l = {0};

    for (size_t i = 0; i < ELEMENTS(folders); i++)
        if (!lasting || !streq(folders[i], "run"))
            list_folder(root_fd, i, &l, d);
    if (l.n > 1)
        qsort(l.v, l.n, sizeof(*l.v), dropins_by_name);
    if (l.n > DROPINS_USED) {
        diags_add(d, DIAG_ERROR, "/etc/vfio-bindd.conf.d", 0,
                  "more than %d drop-ins: those after %s are not used", DROPINS_USED,
                  l.v[DROPINS_USED - 1].name);
        d->unread++;
        for (size_t i = DROPINS_USED; i < l.n; i++)
            free(l.v[i].name);
        l.n = DROPINS_USED;
    }
    for (size_t i = 0; i < l.n; i++) {
        char name[PATH_MAX];
        snprintf(name, sizeof(name), "/%s/vfio-bindd.conf.d/%s", folders[l.v[i].folder],
                 l.v[i].name);
        if (is_masked(root_fd, name + 1, name, d))
            continue;
        int r = load_file(root_fd, name + 1, name, l.v[i].trusted, p, d);
        if (r == -ENOENT) /* a dangling link, or removed just now */
            add_read_problem(d, name, r);
    }
}

/* Is a policy on trial, and is its time not over? Only then does its file mask the others;
 * otherwise the permanent policy is in force. */
static bool load_trial(int root_fd, struct policy *p, struct diags *d)
{
    CLEANUP_FREE char *bytes = NULL, *why = NULL;
    struct trial t;
    size_t size;
    int r = trial_read(root_fd, TRIAL_PATH, &bytes, &size, &t, &why);

    if (r == -ENOENT)
        return false;
    if (why || r == -EINVAL)
        diags_add(d, DIAG_WARNING, "/" TRIAL_PATH, 0, "this file %s; it is not used",
                  why ? why : "is not what \"vfio-bindctl apply\" writes");
    else if (r < 0)
        add_read_problem(d, "/" TRIAL_PATH, r);
    if (r < 0 || seconds_since_power_on() >= t.until)
        return false;
    r = policy_parse(p, "/" TRIAL_PATH, bytes, size, d);
    if (r < 0)
        add_read_problem(d, "/" TRIAL_PATH, r);
    else
        p->trial_until = t.until;
    return r >= 0;
}

static void load_main(int root_fd, struct policy *p, struct diags *d)
{
    for (size_t i = 0; i < ELEMENTS(main_folders); i++) {
        char name[64];
        snprintf(name, sizeof(name), "/%s/vfio-bindd.conf", main_folders[i]);
        if (is_masked(root_fd, name + 1, name, d) ||
            load_file(root_fd, name + 1, name, true, p, d) != -ENOENT)
            return;
        if (rootfs_exists(root_fd, name + 1) > 0) {
            diags_add(d, DIAG_ERROR, name, 0,
                      "this is a link to a file that does not exist: correct or remove it");
            d->unread++;
            return;
        }
    }
}

static void load_cmdline(int root_fd, struct policy *p, struct diags *d, bool *ret_off)
{
    CLEANUP_FREE char *bytes = NULL;
    size_t size;
    int r = rootfs_read_file(root_fd, "proc/cmdline", 64 * 1024, &bytes, &size);

    if (r == -ENOENT) /* without /proc no command line is known */
        return;
    if (r >= 0)
        r = policy_parse_cmdline(p, bytes, d, ret_off);
    if (r < 0)
        add_read_problem(d, "/proc/cmdline", r);
}

static void load_all(int root_fd, struct policy *p, struct diags *d, bool *ret_off, bool lasting)
{
    *ret_off = false;
    if (lasting || !load_trial(root_fd, p, d))
        load_main(root_fd, p, d);
    load_dropins(root_fd, p, d, lasting);
    load_cmdline(root_fd, p, d, ret_off);
    if (d->unread > 0)
        policy_distrust(p);
    policy_finish(p, d);
}

void policy_load(int root_fd, struct policy *p, struct diags *d, bool *ret_off)
{
    load_all(root_fd, p, d, ret_off, false);
}

void policy_load_lasting(int root_fd, struct policy *p, struct diags *d, bool *ret_off)
{
    load_all(root_fd, p, d, ret_off, true);
}

void policy_load_files(char *const *files, size_t n, struct policy *p, struct diags *d)
{
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/");

    for (size_t i = 0; i < n; i++) {
        CLEANUP_FREE char *path = realpath(files[i], NULL);
        int r = path ? check_file(root_fd, path + 1, files[i], p, d) : -errno;
        if (r < 0)
            add_read_problem(d, files[i], r);
    }
    policy_finish(p, d);
}
