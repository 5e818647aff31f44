/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/trial.h"

#include <errno.h>
#include <signal.h>
#include <sys/inotify.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "policy/trial-files.h"
#include "record-file.h"
#include "replace.h"
#include "tell/journal.h"

#define CONFIRM "\"vfio-bindctl confirm\" keeps it"

/* -- files -- */

static int read_silently(int root_fd, const char *path, char **ret, struct trial *ret_trial)
{
    CLEANUP_FREE char *why = NULL;
    size_t size;

    return trial_read(root_fd, path, ret, &size, ret_trial, &why);
}

static bool is_this_boot(int root_fd, const char *boot)
{
    char id[64];

    return rootfs_read_line(root_fd, "proc/sys/kernel/random/boot_id", id, sizeof(id)) > 0 &&
           streq(id, boot);
}

static int write_running(int root_fd, const char *bytes, struct trial *t)
{
    CLEANUP_CLOSE int folder = record_file_folder(root_fd);
    size_t size;

    t->until = seconds_since_power_on() + t->seconds;
    CLEANUP_FREE char *text = trial_text(bytes, t->policy_size, t, &size);
    return folder < 0 ? folder
           : !text    ? -ENOMEM
                      : replace_file(folder, TRIAL_FILE, 0644, text, size);
}

/* -- the trial's beginning -- */

/* If this is not the boot in which "apply" ran, the permit is removed before the policy is used. So
 * the next boot uses the previous policy, whatever happens to this one. */
static int begin_trial(int root_fd, struct trial *ret)
{
    CLEANUP_FREE char *bytes = NULL;
    int r = read_silently(root_fd, TRIAL_PATH, &bytes, ret);

    if (r >= 0)
        return 0; /* this process was restarted */
    r = read_silently(root_fd, TRIAL_PERMIT, &bytes, ret);
    if (r < 0)
        return r;
    bool boot = !is_this_boot(root_fd, ret->boot);
    if (boot)
        r = trial_remove_permit(root_fd);
    if (r < 0) {
        journal_event(EVENT_TRIAL_ENDED,
                      "/" TRIAL_PERMIT " cannot be removed (%s), so the policy in it is not used: "
                      "if it broke this boot, it would break every later one, too",
                      strerror(-r));
        return r;
    }
    r = write_running(root_fd, bytes, ret);
    if (r >= 0)
        journal_event(EVENT_TRIAL_BEGUN,
                      "a policy is on trial for %llu s%s: " CONFIRM
                      "; otherwise the previous policy is in force again",
                      (unsigned long long)ret->seconds,
                      boot ? " of this boot, and no other boot will use it" : "");
    return r;
}

/* -- waiting -- */

struct waiting {
    int root_fd;
    sd_event *event;
};

/* The permit is removed first: when the daemon reads its policy again, nothing of the trial is
 * left. */
static int on_trial_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct waiting *w = userdata;

    (void)source;
    (void)usec;
    int permit = trial_remove_permit(w->root_fd);
    int r = trial_remove_running(w->root_fd);
    journal_event(EVENT_TRIAL_ENDED,
                  "the policy on trial was not confirmed: the previous policy is in force again");
    if (permit < 0 || r < 0)
        journal_plain(LOG_ERR, "cannot remove /%s: %s", permit < 0 ? TRIAL_PERMIT : TRIAL_PATH,
                      strerror(permit < 0 ? -permit : -r));
    return sd_event_exit(w->event, 0);
}

/* The trial was confirmed, or taken back by hand. */
static int on_trial_file(sd_event_source *source, const struct inotify_event *e, void *userdata)
{
    const struct waiting *w = userdata;

    (void)source;
    if (e->mask & IN_Q_OVERFLOW || (e->len > 0 && streq(e->name, TRIAL_FILE)))
        return rootfs_exists(w->root_fd, TRIAL_PATH) == 0 ? sd_event_exit(w->event, 0) : 0;
    return 0;
}

static int on_trial_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    const struct waiting *w = userdata;

    (void)source;
    (void)si;
    return sd_event_exit(w->event,
                         0); /* the host is shutting down: the permit stays for the next boot */
}

static int wait_for_end(int root_fd, const struct trial *t)
{
    CLEANUP_CLOSE int folder = record_file_folder(root_fd);
    struct waiting w = {root_fd, NULL};
    int r = folder < 0 ? folder : sd_event_new(&w.event);

    if (r >= 0)
        r = sd_event_add_signal(w.event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, on_trial_stop,
                                &w);
    if (r >= 0)
        r = sd_event_add_time(w.event, NULL, CLOCK_BOOTTIME, t->until * USEC_PER_SEC, 0,
                              on_trial_over, &w);
    if (r >= 0)
        r = sd_event_add_inotify_fd(w.event, NULL, folder, IN_DELETE | IN_MOVED_FROM, on_trial_file,
                                    &w);
    if (r >= 0) {
        sd_notify(false, "READY=1\nSTATUS=a policy is on trial: " CONFIRM);
        if (rootfs_exists(root_fd, TRIAL_PATH) !=
            0) /* otherwise the file was removed before it was watched */
            r = sd_event_loop(w.event);
    }
    sd_event_unref(w.event);
    return r;
}

int trial_run(int root_fd)
{
    struct trial t;

    journal_open(false);
    int r = begin_trial(root_fd, &t);
    if (r == -ENOENT)
        journal_plain(LOG_NOTICE, "no policy is on trial");
    else if (r == -EINVAL || r == -EPERM)
        journal_plain(LOG_ERR, "/" TRIAL_PERMIT " is not used: %s",
                      r == -EPERM ? "not only root can write to it" : "it is damaged");
    else if (r < 0)
        journal_plain(LOG_ERR, "cannot put a policy on trial: %s", strerror(-r));
    else
        r = wait_for_end(root_fd, &t);
    journal_close();
    return r < 0 && r != -ENOENT ? EXIT_FAILURE : EXIT_SUCCESS;
}
