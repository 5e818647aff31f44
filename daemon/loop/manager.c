/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/manager.h"

#include <errno.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "loop/boot-watch.h"
#include "loop/early.h"
#include "loop/helpers.h"
#include "loop/hotplug.h"
#include "loop/look-again.h"
#include "loop/look.h"
#include "loop/moment.h"
#include "loop/policy-in-force.h"
#include "loop/record-seen.h"
#include "loop/requests.h"
#include "loop/signals.h"
#include "loop/trial-watch.h"
#include "start/starting.h"
#include "tell/announce.h"
#include "tell/feature-files.h"
#include "tell/front-link.h"
#include "tell/journal.h"
#include "tell/request-log.h"
#include "write/apply.h"

/* How long a stop waits for workers to finish their jobs. */
#define ENDING_USEC (500 * 1000)

struct manager {
    struct manager_options options;
    sd_event *event;
    struct apply *apply;
    struct hotplug *hotplug;
    struct front_link *front;            /* NULL: a single pass, or it could not listen */
    struct helpers *helpers;             /* NULL: a single pass */
    struct feature_files *feature_files; /* NULL: a single pass */
    sd_event_source *boot_deadline;
    struct moment *moment; /* NULL: a single pass */
    struct look_again *look_again;
    struct boot_watch *boot_watch; /* NULL: a single pass */
    struct early *early;           /* NULL: not in an initramfs */
    struct view view;
    uint64_t start_usec;
    int lock_fd;
    bool summary_due; /* a pass over all devices is in progress: log a summary when it is done */
    bool stopping;
    bool plan_due;   /* an event of the current batch requires a new plan */
    bool iommu_came; /* the same, and all devices must be read */
    bool unsaved;    /* what must outlive the daemon is not in /run yet: a device appeared, or was
                        requested */
};

static bool is_daemon(const struct manager *m)
{
    return m->options.mode == MANAGER_DAEMON;
}

/* -- tell -- */

static void send_status(const struct manager *m, const char *before)
{
    char text[256];

    announce_status(&m->view, text, sizeof(text));
    sd_notifyf(false, "%sSTATUS=%s", before, text);
}

static void send_ready(struct manager *m)
{
    if (m->view.ready)
        return;
    if (starting_hand_over(m->options.starting) < 0) {
        (void)sd_event_exit(m->event, -EPIPE);
        return;
    }
    (void)sd_event_set_watchdog(m->event, true);
    m->view.ready = true;
    m->boot_deadline = sd_event_source_disable_unref(m->boot_deadline);
    send_status(m, "READY=1\n");
}

/* The records contain what workers have begun, and are saved in /run. */
static int end(struct manager *m)
{
    (void)apply_save(m->apply);
    return sd_event_exit(m->event, 0);
}

/* Workers that are unbinding continue without the daemon. */
static void stop_late(void *userdata)
{
    (void)end(userdata);
}

static int on_ending_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    stop_late(userdata);
    return 0;
}

/* Bindings stay, and jobs that have begun are finished. Dynamic IDs that match only devices that
 * the policy selects stay as well, so that a restart leaves no gap. Entries that also match other
 * devices are removed, since nobody would hand those devices back. */
static int stop(struct manager *m)
{
    if (m->stopping)
        return 0;
    m->stopping = true;
    (void)apply_withdraw(m->apply);
    if (!apply_is_ending(m->apply))
        return end(m);
    return sd_event_add_time_relative(m->event, NULL, CLOCK_MONOTONIC, ENDING_USEC, 0,
                                      on_ending_late, m);
}

/* No work is in progress any more, except what is stuck. READY is sent first, since the boot waits
 * for it. */
static void tell_settled(struct manager *m)
{
    const uint64_t usec = now_usec() - m->start_usec;
    const bool first = !m->view.settled;

    if (first)
        m->view.ready_usec = usec;
    m->view.settled = true;
    if (m->view.ready)
        send_status(m, "");
    else
        send_ready(m);
    if (m->view.disabled) {
        if (m->summary_due)
            journal_plain(LOG_NOTICE, "disabled by the kernel command line: no device is touched");
    } else {
        announce_devices(&m->view);
        if (m->summary_due)
            announce_summary(&m->view, usec);
    }
    m->summary_due = false;
    if (apply_save(m->apply) < 0)
        journal_plain(LOG_WARNING, "cannot write /run/vfio-bindd/state: after a restart the "
                                   "previous drivers of the devices are unknown");
    if (m->feature_files)
        feature_files_update(m->feature_files, &m->view);
    if (m->early)
        early_ended(m->early);
    if (!is_daemon(m))
        stop(m);
    else if (first)
        announce_early(&m->view);
}

static int on_boot_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct manager *m = userdata;

    (void)source;
    (void)usec;
    send_ready(m);
    journal_event(EVENT_DEGRADED, "boot-deadline passed during the first pass: the boot continues");
    announce_devices(&m->view);
    return 0;
}

/* -- the sequence -- */

/* The boot goes on before rebinds, which may take long. They do not race with native drivers. */
static bool is_critical_part_done(const struct manager *m)
{
    return !apply_batch_is_running(m->apply) && !helpers_are_awaited(m->helpers) &&
           (m->view.plan.n_actions == 0 || m->view.plan.actions[0].phase >= PHASE_REBIND);
}

/* As long as something cannot be read, everything is read again from time to time. */
static void follow_unknown(struct manager *m)
{
    const bool before = m->view.unread || m->view.trouble != 0;
    const struct device *d;
    int error;

    m->view.unread = m->view.missed || m->view.policy_unread ||
                     snapshot_unknown(&m->view.snapshot, &d, &error) != FACT_NONE;
    if (m->view.unread && !before)
        announce_unknown(&m->view);
}

/* An operation that should not fail has failed (no memory, no process). Logs that, makes nobody
 * wait, and tries again later. The view and the verdicts stay as they were. */
static int step_failed(struct manager *m, int error)
{
    const bool before = m->view.trouble != 0;

    m->view.trouble = -error;
    if (!before)
        journal_plain(LOG_ERR, "cannot handle the devices: %s; trying again", strerror(-error));
    if (!is_daemon(m))
        return sd_event_exit(m->event, error);
    send_ready(m);
    look_again_if(m->look_again, true);
    front_link_update(m->front);
    return error;
}

/* Makes the plan. Devices that are about to lose their native driver are read again before, since
 * their current state matters. */
static int plan(struct manager *m)
{
    struct pci_addr next[APPLY_REBINDS_MAX];
    if (m->early)
        return early_plan(m->early);
    int r = view_plan(&m->view);
    size_t n = r >= 0 && !m->view.disabled ? apply_next_rebinds(m->apply, &m->view.plan, next) : 0;

    look_at_devices(&m->view, next, n);
    return n > 0 ? view_plan(&m->view) : r;
}

/* Makes a plan from what is known now, starts what can be started, and reports when no work is in
 * progress. */
static int step(struct manager *m)
{
    if (m->stopping)
        return 0;
    int r = plan(m);
    if (r >= 0)
        follow_unknown(m);
    if (r >= 0)
        r = record_seen_plan(&m->view);
    if (r > 0) /* devices that no rule selects any more may be handed back now, which needs a new
                  plan */
        r = view_plan(&m->view);
    if (r >= 0 && is_critical_part_done(m) && m->view.plan.n_actions > 0 && is_daemon(m))
        send_ready(m);
    if (r >= 0 && !m->view.disabled)
        r = apply_plan(m->apply, &m->view.plan);
    if (r < 0)
        return step_failed(m, r);
    m->view.trouble = 0;
    look_again_if(m->look_again, m->view.unread);
    if (!m->view.disabled)
        helpers_ask(m->helpers);
    if (m->unsaved &&
        apply_save(m->apply) >= 0) /* not earlier: writing the override must not wait for a file */
        m->unsaved = false;
    if (!helpers_are_awaited(m->helpers) && !apply_is_busy(m->apply))
        tell_settled(m);
    moment_set(m->moment, records_next_usec(&m->view.records));
    front_link_update(m->front);
    return 0;
}

/* Reads everything again; logs a summary if somebody waits for one. */
static int look_anew(struct manager *m, bool summary)
{
    bool first = m->view.snapshot.n == 0;
    int r = look_at_all(&m->view, is_daemon(m));

    if (r < 0) {
        journal_plain(LOG_ERR, "cannot read /sys/bus/pci: %s%s", strerror(-r),
                      r == -ENOENT ? " (is sysfs mounted on /sys?)" : "");
        return !is_daemon(m) ? r : step_failed(m, r);
    }
    if (first)
        early_take_again(&m->view);
    m->unsaved = m->unsaved || !first;
    m->summary_due = m->summary_due || summary;
    return step(m);
}

static int pass(struct manager *m)
{
    return look_anew(m, true);
}

static void look_again(void *userdata)
{
    struct manager *m = userdata;

    if (m->stopping)
        return;
    bool completed = policy_in_force_complete(&m->view);
    if (completed) {
        apply_set_timeout(m->apply, m->view.policy.unbind_timeout_usec);
        records_apply_all(&m->view.records, &(struct record_event){.kind = RECORD_EVENT_RESCAN});
        helpers_retry(m->helpers);
    }
    (void)look_anew(m, completed);
}

/* Only now can be seen what the host uses. */
static void on_boot_over(void *userdata)
{
    struct manager *m = userdata;

    if (!m->stopping)
        (void)look_anew(m, false);
}

/* More serial numbers are known, or no more will be. */
static void on_serials(void *userdata)
{
    struct manager *m = userdata;

    look_at_unread(&m->view);
    (void)step(m);
}

/* The variant driver is loaded, or cannot be. */
static void on_variant(void *userdata, const char *module)
{
    struct manager *m = userdata;

    look_at_drivers(&m->view);
    look_at_module(&m->view, module);
    (void)step(m);
}

static void on_moment(void *userdata)
{
    struct manager *m = userdata;
    const struct record_event e = {.kind = RECORD_EVENT_TIME, .now_usec = now_usec()};

    if (m->stopping)
        return;
    records_apply_all(&m->view.records, &e);
    look_at_drivers(&m->view);
    (void)step(m);
}

static void on_applied(void *userdata, const struct pci_addr *addrs, size_t n)
{
    struct manager *m = userdata;

    look_at_results(&m->view, addrs, n, !is_daemon(m));
    if (m->stopping) {
        if (!apply_is_ending(m->apply))
            end(m);
        return;
    }
    if (step(m) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        announce_handed_back(&m->view, addrs[i]);
}

/* The IOMMU will not appear: devices that were kept for it go to their native drivers. */
static void on_iommu_given_up(void *userdata)
{
    struct manager *m = userdata;

    m->view.records.iommu_given_up = true;
    (void)pass(m);
}

/* -- hot-plug -- */

/* Failures for lack of an IOMMU group no longer count. */
static void on_iommu(void *userdata)
{
    struct manager *m = userdata;

    m->iommu_came = true;
    record_seen_iommu(&m->view);
}

static void on_driver(void *userdata)
{
    struct manager *m = userdata;

    m->plan_due = true;
}

static void on_hotplug(void *userdata, enum hotplug_action action, struct pci_addr a)
{
    struct manager *m = userdata;

    if (action == HOTPLUG_ADD || action == HOTPLUG_REMOVE) {
        m->view.events++;
        record_seen_forget(&m->view, a);
        helpers_retry_serials(m->helpers);
    }
    m->unsaved = m->unsaved || action == HOTPLUG_ADD;
    if (!look_at_event(&m->view, action, a))
        m->plan_due = true;
}

static void on_drained(void *userdata, bool lost)
{
    struct manager *m = userdata;
    bool plan_due = m->plan_due, iommu_came = m->iommu_came;

    m->plan_due = m->iommu_came = false;
    if (lost) {
        m->view.overflows++;
        journal_event(EVENT_OVERFLOW,
                      "the kernel dropped hot-plug events: examining every device again");
        (void)pass(m);
    } else if (iommu_came) {
        (void)pass(m);
    } else if (plan_due) {
        look_at_drivers(&m->view);
        (void)step(m);
    } else { /* every device of these events is left alone for a moment */
        moment_set(m->moment, records_next_usec(&m->view.records));
    }
}

/* -- the policy -- */

/* Reads the policy and all devices again; forgets earlier releases and failures. */
static int reload(void *userdata)
{
    struct manager *m = userdata;

    m->start_usec = now_usec();
    sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)m->start_usec);
    int r = policy_in_force_load(&m->view, true);
    if (r >= 0) {
        apply_set_timeout(m->apply, m->view.policy.unbind_timeout_usec);
        records_apply_all(&m->view.records, &(struct record_event){.kind = RECORD_EVENT_RELOAD});
        helpers_retry(m->helpers);
        r = pass(m);
    }
    if (r >= 0)
        announce_early(&m->view);
    send_status(m, m->view.ready ? "READY=1\n" : "");
    front_link_update(m->front);
    return r;
}

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    (void)source;
    request_by_signal(VERB_RELOAD, si);
    (void)reload(userdata);
    return 0;
}

/* -- what callers on the bus ask for, through the front -- */

static int request_reload(void *userdata, struct refusal *why)
{
    struct manager *m = userdata;
    int r = reload(m);

    return r == -EINVAL ? requests_policy_invalid(&m->view, why) : r;
}

static int request_rescan(void *userdata, struct refusal *why)
{
    struct manager *m = userdata;

    (void)why;
    m->start_usec = now_usec();
    records_apply_all(&m->view.records, &(struct record_event){.kind = RECORD_EVENT_RESCAN});
    helpers_retry_iommu(m->helpers);
    return pass(m);
}

static int request_bind(void *userdata, struct pci_addr a, struct refusal *why)
{
    struct manager *m = userdata;

    look_at_group(&m->view, a); /* the earlier use may have ended */
    int r = requests_mark_bind(&m->view, a, why);

    m->unsaved = m->unsaved || r >= 0;
    return r < 0 ? r : step(m);
}

static int request_release(void *userdata, struct pci_addr a, struct refusal *why)
{
    struct manager *m = userdata;
    int r = requests_mark_release(&m->view, a, why);

    return r < 0 ? r : step(m);
}

/* -- start and end -- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    (void)source;
    (void)si;
    sd_notify(false, "STOPPING=1");
    return stop(userdata);
}

/* Without the link nothing is shown on the bus, but everything else works. */
static void set_up_front(struct manager *m)
{
    const struct front_requests requests = {request_reload, request_rescan, request_bind,
                                            request_release, m};
    int r = front_link_new(m->event, &m->view, &requests, &m->front);

    if (r < 0)
        journal_plain(LOG_WARNING, "cannot listen for vfio-bindd-front: %s", strerror(-r));
}

static int set_up(struct manager *m)
{
    const struct hotplug_handler handler = {on_hotplug, on_driver, on_iommu,
                                            on_drained, m,         m->options.root_fd};
    const struct helpers_handler helpers = {on_serials, on_variant, on_iommu_given_up, m};

    m->lock_fd = starting_lock(m->options.starting, m->options.root_fd);
    if (m->lock_fd == -EBUSY)
        return -EBUSY;
    int r = signals_loop_new(&m->event, on_stop, on_sighup, m);
    if (r >= 0)
        r = journal_attach(m->event);
    if (r >= 0)
        r = apply_new(m->event, m->options.root_fd, &m->view.records, on_applied, m, &m->apply);
    if (r >= 0)
        r = look_again_new(m->event, look_again, m, &m->look_again);
    if (r >= 0)
        r = policy_in_force_load(&m->view, false);
    if (r >= 0)
        apply_set_timeout(m->apply, m->view.policy.unbind_timeout_usec);
    starting_tell(m->options.starting, STARTING_DEADLINE,
                  (int64_t)m->view.policy.boot_deadline_usec);
    /* Before the first scan, so that no event between the two is lost. */
    if (r >= 0 && is_daemon(m))
        r = hotplug_new(m->event, &handler, &m->hotplug);
    if (r >= 0 && is_daemon(m))
        r = boot_watch_new(m->event, m->options.root_fd, on_boot_over, m, &m->boot_watch);
    if (r >= 0 && is_daemon(m))
        r = trial_watch(m->event, &m->view, reload, m);
    if (r >= 0 && is_daemon(m))
        r = moment_new(m->event, on_moment, m, &m->moment);
    if (r >= 0 && is_daemon(m))
        r = helpers_new(m->event, &m->view, &helpers, &m->helpers);
    if (r >= 0 && is_daemon(m))
        r = feature_files_new(m->event, m->options.root_fd, USEC_PER_SEC, &m->feature_files);
    if (r >= 0 && (m->options.mode == MANAGER_EARLY || m->options.mode == MANAGER_GIVE_BACK))
        r = early_new(m->event, &m->view, m->options.mode == MANAGER_GIVE_BACK, stop_late, m,
                      &m->early);
    if (r >= 0 && is_daemon(m)) {
        set_up_front(m);
        (void)early_pass_read(m->options.root_fd, &m->view.early); /* only needed for messages */
    }
    if (r >= 0 && is_daemon(m))
        r = sd_event_add_time(m->event, &m->boot_deadline, CLOCK_MONOTONIC,
                              starting_since(m->options.starting, m->start_usec) +
                                  m->view.policy.boot_deadline_usec,
                              0, on_boot_deadline, m);
    return r;
}

static void manager_done(struct manager *m)
{
    early_free(m->early);
    look_again_free(m->look_again);
    boot_watch_free(m->boot_watch);
    feature_files_free(m->feature_files);
    front_link_free(m->front);
    helpers_free(m->helpers);
    hotplug_free(m->hotplug);
    apply_free(m->apply);
    sd_event_source_disable_unref(m->boot_deadline);
    moment_free(m->moment);
    closep(&m->lock_fd);
    journal_close();
    sd_event_unref(m->event);
    view_clear(&m->view);
}

int manager_run(const struct manager_options *options)
{
    CLEANUP(manager_done)
    struct manager m = {.options = *options,
                        .view.root_fd = options->root_fd,
                        .lock_fd = -1,
                        .start_usec = now_usec()};
    int r;

    policy_init(&m.view.policy);
    r = set_up(&m);
    if (r >= 0) {
        r = pass(&m);
        if (r < 0 && options->mode == MANAGER_DAEMON) /* the daemon tries again */
            r = 0;
    }
    if (r >= 0)
        r = sd_event_loop(m.event);
    if (r < 0) {
        journal_plain(LOG_ERR, "cannot continue: %s", strerror(-r));
        return r;
    }
    struct tally t = tally_make(&m.view);
    return options->mode != MANAGER_DAEMON && !m.view.disabled && !tally_is_good(&t) ? 1 : 0;
}
