/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply, confirm, revert: makes a file the policy, permanently or on trial (policy/trial.h). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "bus.h"
#include "child.h"
#include "config.h"
#include "edit/install.h"
#include "edit/on-trial.h"
#include "edit/question.h"
#include "edit/reload.h"
#include "open.h"
#include "plan-diff.h"
#include "policy/parse.h"
#include "policy/trial-files.h"

#define POLICY_NAME "/etc/vfio-bindd.conf"

struct application {
    struct source s;
    struct install target; /* the main policy file, or the permit of a trial */
    char *bytes;
    size_t size;
};

static void application_done(struct application *a)
{
    free(a->bytes);
    install_done(&a->target);
    source_done(&a->s);
}

static const char *root_of(const struct ctl *c)
{
    return c->root ? c->root : "/";
}

/* First removes what the next boot would use; when the file in /run is removed, the daemon reads
 * its policy again. Returns the number of removed files, or negative errno. */
static int end_trial(int root_fd)
{
    int permit = trial_remove_permit(root_fd);
    int running = permit < 0 ? permit : trial_remove_running(root_fd);

    return running < 0 ? running : permit + running;
}

/* -- apply, on trial -- */

static int make_folders(int root_fd, const char *path)
{
    char part[sizeof(TRIAL_LINK_FOLDER) + 1];

    snprintf(part, sizeof(part), "%s/", path);
    for (char *slash = part; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        if (mkdirat(root_fd, part, 0755) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

/* In /etc, like "systemctl enable" makes it. */
static int make_link(int root_fd)
{
    int r = make_folders(root_fd, TRIAL_LINK_FOLDER);

    if (r < 0)
        return r;
    CLEANUP_CLOSE int folder = rootfs_open(root_fd, TRIAL_LINK_FOLDER, O_RDONLY | O_DIRECTORY);
    if (folder < 0)
        return folder;
    if (symlinkat(SYSTEM_UNIT_DIR "/" TRIAL_UNIT, folder, TRIAL_UNIT) < 0 && errno != EEXIST)
        return -errno;
    return fsync(folder) < 0 ? -errno : 0;
}

/* If somebody else begins a trial at the same time, one of the two finds the other's permit. */
static int write_permit(const struct application *a)
{
    struct trial t = {.seconds = a->s.ctl->confirm_usec / USEC_PER_SEC};
    char boot[64];
    size_t size;

    if (a->s.this_host &&
        rootfs_read_line(a->s.root_fd, "proc/sys/kernel/random/boot_id", boot, sizeof(boot)) > 0)
        snprintf(t.boot, sizeof(t.boot), "%.36s", boot);
    CLEANUP_FREE char *text = trial_text(a->bytes, a->size, &t, &size);
    return !text                    ? -ENOMEM
           : size > POLICY_FILE_MAX ? -EFBIG
           : a->target.existed      ? -ESTALE
                                    : install_replace(&a->target, text, size);
}

/* The unit writes the file in /run, and waits until the policy is in force. The command for
 * confirming is printed before, since this connection may go through a device that the policy
 * takes. */
static int start_trial(const struct application *a)
{
    static const char *const words[] = {"systemctl", "restart", TRIAL_UNIT, NULL};
    uint64_t seconds = a->s.ctl->confirm_usec / USEC_PER_SEC;
    unsigned unit = seconds % 60 ? 1 : seconds % 3600 ? 60 : 3600;
    int r = spawn_and_wait("/usr/bin/systemctl", words);

    if (r != 0 || rootfs_exists(a->s.root_fd, TRIAL_PATH) != 1)
        return ctl_error("%s does not start, so nothing would take the policy back: see "
                         "\"systemctl status %s\"",
                         TRIAL_UNIT, TRIAL_UNIT);
    printf("The policy is taken back in %" PRIu64 " %s, and a reboot before that tries it once "
           "more. To keep it:\n    %svfio-bindctl confirm\n",
           seconds / unit,
           unit == 1    ? "s"
           : unit == 60 ? "min"
                        : "h",
           ctl_sudo());
    fflush(stdout);
    return reload_changed(a->s.ctl);
}

static int put_on_trial(const struct application *a)
{
    int r = make_link(a->s.root_fd);

    if (r < 0)
        return ctl_error("/%s: %s", TRIAL_LINK, strerror(-r));
    r = write_permit(a);
    if (r < 0)
        return install_complain(a->s.ctl, &a->target, r);
    if (!a->s.this_host) {
        ctl_note(a->s.ctl, "the next boot of %s tries this policy", a->s.ctl->root);
        return EXIT_SUCCESS;
    }
    r = start_trial(a);
    if (r != EXIT_SUCCESS) {
        (void)end_trial(a->s.root_fd);
        ctl_error("nothing is changed");
    }
    return r;
}

/* Is there a previous policy to return to, and a running daemon? */
static int check_trial(struct application *a)
{
    const struct text *main = texts_main(&a->s.texts);
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    CLEANUP_FREE char *state = NULL;

    if (a->s.diags.errors > 0) {
        diags_print(&a->s.diags, stderr);
        return ctl_error(
            "the previous policy has errors, so a trial could not return to it: correct it first");
    }
    if (main && main->size == a->size && memcmp(main->bytes, a->bytes, a->size) == 0)
        return ctl_error(
            "%s already is the policy in force (%s), so there is no other policy to return to: "
            "restore the previous one, and apply the new policy from another file",
            a->s.ctl->args[0], main->name);
    if (!a->s.this_host)
        return 0;
    int r = bus_open(a->s.ctl, &bus);
    if (r >= 0)
        r = sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "State",
                                       &error, &state);
    return r < 0 ? bus_complain(a->s.ctl, r, &error) : 0;
}

/* -- apply -- */

static int put_for_good(const struct application *a)
{
    const struct ctl *c = a->s.ctl;
    int r = install_replace(&a->target, a->bytes, a->size);

    if (r < 0)
        return install_complain(c, &a->target, r);
    if (a->s.this_host)
        return reload_changed(c);
    ctl_note(c, "%s is written; nothing is reloaded with --root", a->target.path);
    return EXIT_SUCCESS;
}

static int show_application(struct application *a)
{
    CLEANUP(change_done) struct change change = {0};
    char *handed = malloc(a->size + 1);

    if (!handed)
        return ctl_errno(-ENOMEM);
    memcpy(handed, a->bytes, a->size + 1);
    int r = change_make(&a->s, a->s.ctl->args[0], handed, a->size, &change);
    if (r < 0)
        return ctl_errno(r);
    diags_print(&change.diags, stderr);
    if (change.diags.errors > 0)
        return ctl_error("this policy has errors: nothing is changed");
    change_print(&a->s, &change);
    return question_is_granted(a->s.ctl, a->s.ctl->confirm_usec > 0
                                             ? "Put this policy on trial"
                                             : "Install this policy and reload")
               ? 0
               : EXIT_FAILURE;
}

int verb_apply(const struct ctl *c)
{
    CLEANUP(application_done) struct application a = {0};
    const bool trial = c->confirm_usec > 0;
    int r = source_open(c, SOURCE_FILES, &a.s);

    if (r != 0)
        return r;
    if (a.s.replayed)
        return ctl_error("a report cannot be changed");
    if (on_trial_refused(&a.s))
        return EXIT_FAILURE;
    r = source_read_policy(c->args[0], &a.bytes, &a.size);
    if (r == 0 && trial)
        r = check_trial(&a);
    if (r != 0)
        return r;
    r = install_open(root_of(c), trial ? "/" TRIAL_PERMIT : POLICY_NAME, &a.target);
    if (r < 0)
        return install_complain(c, &a.target, r);
    r = show_application(&a);
    return r != 0 ? r : trial ? put_on_trial(&a) : put_for_good(&a);
}

/* -- confirm, revert -- */

/* Returns 0, or the exit code after printing the error. */
static int open_host(const struct ctl *c, int *ret_fd)
{
    int fd = rootfs_open_root(root_of(c));

    if (fd < 0)
        return ctl_error("%s: %s", root_of(c), strerror(-fd));
    *ret_fd = fd;
    return 0;
}

static int say_no_trial(void)
{
    return ctl_error("no policy is on trial (a trial ends when its time is over)");
}

static int say_no_end(int error)
{
    return ctl_error("cannot end the trial: %s%s", strerror(-error),
                     error == -EACCES || error == -EPERM ? ": try sudo" : "");
}

/* The policy is made permanent before the trial ends, so there is always either the one or the
 * other. */
int verb_confirm(const struct ctl *c)
{
    CLEANUP_CLOSE int root_fd = -1;
    CLEANUP_FREE char *bytes = NULL, *why = NULL;
    CLEANUP(install_done) struct install file = {0};
    struct trial t;
    size_t size;
    int r = open_host(c, &root_fd);

    if (r != 0)
        return r;
    r = trial_read(root_fd, TRIAL_PATH, &bytes, &size, &t, &why);
    if (r == -ENOENT || (r >= 0 && seconds_since_power_on() >= t.until))
        return say_no_trial();
    if (r < 0)
        return ctl_error("/" TRIAL_PATH ": %s", strerror(-r));
    r = install_open(root_of(c), POLICY_NAME, &file);
    if (r == 0)
        r = install_replace(&file, bytes, t.policy_size);
    if (r < 0)
        return install_complain(c, &file, r);
    r = end_trial(root_fd);
    if (r < 0)
        return say_no_end(r);
    if (!c->quiet)
        printf("The policy that was on trial is %s now.\n", POLICY_NAME);
    return c->root ? EXIT_SUCCESS : reload_changed(c);
}

int verb_revert(const struct ctl *c)
{
    CLEANUP_CLOSE int root_fd = -1;
    int r = open_host(c, &root_fd);

    if (r != 0)
        return r;
    r = end_trial(root_fd);
    if (r < 0)
        return say_no_end(r);
    if (r == 0)
        return say_no_trial();
    return c->root ? EXIT_SUCCESS : reload_changed(c);
}
