/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manager.h"

#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "announce.h"
#include "apply.h"
#include "boot-watch.h"
#include "bus.h"
#include "clock.h"
#include "feature-files.h"
#include "held.h"
#include "hotplug.h"
#include "journal.h"
#include "look-again.h"
#include "notes.h"
#include "policy-in-force.h"
#include "requests.h"
#include "scan.h"
#include "serials-ask.h"
#include "variants.h"

#define FEATURE_INTERVAL_USEC USEC_PER_SEC
/* Some ms pass in the kernel between the news of a device and its drivers' turn, and between the
 * news that a driver let go of it and that of its end. */
#define MOMENT_USEC (100 * 1000)
/* remove_id does not block; a stop must be quick all the same. */
#define WITHDRAW_USEC (500 * 1000)

struct manager {
    struct manager_options options;
    sd_event *event;
    struct apply *apply;
    struct hotplug *hotplug;
    struct bus *bus;
    struct variants *variants;
    struct serials_ask *serials;
    struct feature_files *feature_files; /* NULL: a single pass, nobody to keep them */
    sd_event_source *boot_deadline;
    sd_event_source *moment;
    struct look_again *look_again;
    struct boot_watch *boot_watch; /* NULL: a single pass */
    struct view view;
    uint64_t start_usec;
    int lock_fd;
    bool summary_due; /* a pass over everything is under way: sum it up when it is done */
    bool reloading;   /* a new policy: what it does not name any more is to be handed back */
    bool stopping;
    bool unbinds, others; /* which events came since the last time that all were taken */
    bool unsaved; /* what must outlive us is not in /run yet: a device came, or was asked for */
};

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
    m->view.ready = true;
    m->boot_deadline = sd_event_source_disable_unref(m->boot_deadline);
    send_status(m, "READY=1\n");
}

static int on_withdrawn_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct manager *m = userdata;

    (void)source;
    (void)usec;
    return sd_event_exit(m->event, 0);
}

/* No binding is changed. The fence stays for what the policy names by ID, so that a restart leaves
 * no gap; entries that also fit other devices go, since nobody would hand those back. */
static int stop(struct manager *m)
{
    if (m->stopping)
        return 0;
    m->stopping = true;
    if (apply_withdraw(m->apply) <= 0)
        return sd_event_exit(m->event, 0);
    return sd_event_add_time_relative(m->event, NULL, CLOCK_MONOTONIC, WITHDRAW_USEC, 0,
                                      on_withdrawn_late, m);
}

/* Nothing is under way any more but what is stuck. The boot waits for READY, not for the journal.
 */
static void settle(struct manager *m)
{
    uint64_t usec = now_usec() - m->start_usec;

    if (!m->view.settled)
        m->view.ready_usec = usec;
    m->view.settled = true;
    if (m->view.ready)
        send_status(m, "");
    else
        send_ready(m);
    if (m->view.disabled) {
        if (m->summary_due)
            journal_plain(LOG_NOTICE, "disabled by the kernel command line: nothing is done");
    } else {
        announce_devices(&m->view);
        if (m->summary_due)
            announce_summary(&m->view, usec);
    }
    m->summary_due = false;
    if (apply_save(m->apply) < 0)
        journal_plain(LOG_WARNING, "cannot write /run/vfio-bindd/state: a restart will not know "
                                   "which drivers had the devices before");
    if (m->feature_files)
        feature_files_update(m->feature_files, &m->view);
    if (m->options.once)
        stop(m);
}

static int on_boot_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct manager *m = userdata;

    (void)source;
    (void)usec;
    send_ready(m);
    journal_event(EVENT_DEGRADED, "boot goes on at boot-deadline, the first pass is not done yet");
    announce_devices(&m->view);
    return 0;
}

/* -- the sequence -- */

static int make_plan(struct manager *m)
{
    struct plan new;

    /* While it is unknown which drivers there are, ours has not gone. */
    if (m->view.snapshot.n_registered > 0 || m->view.snapshot.unknown.fact == FACT_NONE)
        fence_follow(&m->view.records.fence, snapshot_order(&m->view.snapshot, FENCE_DRIVER));
    plan_done(&m->view.plan); /* it points into what has changed */
    int r = plan_make(&m->view.policy, &m->view.snapshot, &m->view.records, &new);
    if (r >= 0)
        m->view.plan = new;
    return r;
}

static bool is_waiting_for_serials(const struct manager *m)
{
    return m->serials && serials_ask_is_waiting(m->serials);
}

/* Before takeovers begin, which may take long, the boot may go on: what must not lose the race is
 * done. */
static bool is_critical_part_done(const struct manager *m)
{
    return !apply_batch_is_running(m->apply) && !is_waiting_for_serials(m) &&
           (m->view.plan.n_actions == 0 || m->view.plan.actions[0].phase >= PHASE_TAKEOVER);
}

/* As long as something could not be read it is looked at again. */
static void follow_unknown(struct manager *m)
{
    const bool before = m->view.unread || m->view.trouble != 0;
    const struct device *d;
    int error;

    m->view.trouble = 0;
    m->view.unread = snapshot_unknown(&m->view.snapshot, &d, &error) != FACT_NONE;
    if (m->view.unread && !before)
        announce_unknown(&m->view);
    look_again_if(m->look_again, m->view.unread);
}

/* Something that should not fail has failed (no memory, no process): say so, let nobody wait, and
 * try again. The view and the plan stay what they were. */
static int step_failed(struct manager *m, int error)
{
    const bool before = m->view.trouble != 0;

    m->view.trouble = -error;
    if (!before)
        journal_plain(LOG_ERR, "cannot go on with the devices: %s; trying again", strerror(-error));
    if (m->options.once)
        return sd_event_exit(m->event, error);
    send_ready(m);
    look_again_if(m->look_again, true);
    if (m->bus)
        bus_update(m->bus);
    return error;
}

/* Plans over what is known now, starts what can be started, and tells when nothing is under way. */
static int step(struct manager *m)
{
    int r = make_plan(m);

    if (r >= 0)
        follow_unknown(m);
    /* What the new policy does not name goes back: that is a plan of its own. */
    if (r >= 0 && m->reloading && notes_dropped(&m->view))
        r = make_plan(m);
    m->reloading = false;
    if (r >= 0)
        r = notes_take_plan(&m->view);
    if (r >= 0 && is_critical_part_done(m) && m->view.plan.n_actions > 0 && !m->options.once)
        send_ready(m);
    if (r >= 0 && !m->view.disabled)
        r = apply_plan(m->apply, &m->view.plan);
    if (r < 0)
        return step_failed(m, r);
    if (m->variants && !m->view.disabled)
        variants_load(m->variants, &m->view.plan, &m->view.snapshot);
    if (m->serials && !m->view.disabled)
        serials_ask(m->serials, &m->view.policy, &m->view.snapshot);
    if (m->unsaved && apply_save(m->apply) >= 0) /* not before: the override is in a hurry */
        m->unsaved = false;
    if (!is_waiting_for_serials(m) && !apply_is_busy(m->apply))
        settle(m);
    if (m->bus)
        bus_update(m->bus);
    return 0;
}

/* Devices that no rule may concern any more, but we do: they may have to go back. */
static void read_unnamed(struct manager *m)
{
    for (size_t i = 0; i < m->view.records.n; i++) {
        const struct record *r = &m->view.records.v[i];
        const struct device *d = snapshot_find(&m->view.snapshot, r->addr);
        if (d && !d->detailed && (r->ours || r->fresh))
            (void)scan_device(m->options.root_fd, &m->view.policy, r->addr, &m->view.snapshot);
    }
}

/* What was there before may be there still, and what is not listed may be: only a look that saw
 * everything lets a record go. */
static void take_snapshot(struct manager *m, struct snapshot *new)
{
    struct snapshot old = m->view.snapshot;

    plan_done(&m->view.plan); /* it points into the old snapshot */
    m->view.snapshot = *new;
    notes_new_devices(&m->view, &old);
    m->unsaved = m->unsaved || old.n > 0;
    snapshot_done(&old);
    if (m->view.snapshot.unknown.fact == FACT_NONE)
        notes_drop_vanished(&m->view);
    read_unnamed(m);
}

/* Looks at everything anew; with a summary where somebody waits for one. */
static int look_at_all(struct manager *m, bool summary)
{
    struct snapshot new = {0};
    int r = scan_again(m->options.root_fd, &m->view.policy, &m->view.snapshot, &new);

    if (r == -ENOENT && !m->options.once) { /* a host without PCI, or a container */
        if (!m->view.settled)
            journal_plain(LOG_ERR,
                          "there is no /sys/bus/pci: is sysfs mounted on /sys? Nothing is bound");
        r = 0;
    }
    if (r < 0) {
        snapshot_done(&new);
        journal_plain(LOG_ERR, "cannot read /sys/bus/pci: %s%s", strerror(-r),
                      r == -ENOENT ? " (is sysfs mounted on /sys?)" : "");
        return m->options.once ? r : step_failed(m, r);
    }
    take_snapshot(m, &new);
    m->summary_due = m->summary_due || summary;
    return step(m);
}

static int pass(struct manager *m)
{
    return look_at_all(m, true);
}

static void look_again(void *userdata)
{
    (void)look_at_all(userdata, false);
}

/* More is known of what the host needs now than before. */
static void on_boot_over(void *userdata)
{
    struct manager *m = userdata;

    if (!m->stopping)
        (void)look_at_all(m, false);
}

static void look_at(struct manager *m, struct pci_addr a)
{
    (void)scan_device(m->options.root_fd, &m->view.policy, a, &m->view.snapshot);
    notes_look(&m->view, a);
}

/* The same where only drivers have changed. */
static void look_at_bindings(struct manager *m, const struct pci_addr *addrs, size_t n)
{
    (void)scan_bindings(m->options.root_fd, &m->view.policy, addrs, n, &m->view.snapshot);
    for (size_t i = 0; i < n; i++)
        notes_look(&m->view, addrs[i]);
}

/* More is known, or will not be. */
static void on_serials(void *userdata)
{
    struct manager *m = userdata;

    for (size_t i = 0; i < m->view.snapshot.n; i++)
        if (m->view.snapshot.devices[i].serial_unread)
            look_at(m, m->view.snapshot.devices[i].addr);
    (void)step(m);
}

/* The variant driver is there, or will not be. */
static void on_variant(void *userdata, const char *module)
{
    struct manager *m = userdata;

    (void)scan_drivers(m->options.root_fd, &m->view.snapshot);
    for (size_t i = 0; i < m->view.snapshot.n; i++) {
        const struct device *d = &m->view.snapshot.devices[i];
        if (d->module && streq(d->module, module))
            look_at(m, d->addr);
    }
    (void)step(m);
}

static int on_moment(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct manager *m = userdata;

    (void)source;
    (void)usec;
    if (m->stopping)
        return 0;
    for (size_t i = 0; i < m->view.records.n; i++)
        m->view.records.v[i].early = false;
    (void)scan_drivers(m->options.root_fd, &m->view.snapshot);
    (void)step(m);
    return 0;
}

/* A moment that has begun is not put off: somebody may unbind devices again and again. */
static bool wait_a_moment(struct manager *m)
{
    if (sd_event_source_get_enabled(m->moment, NULL) > 0)
        return true;
    return sd_event_source_set_time_relative(m->moment, MOMENT_USEC) >= 0 &&
           sd_event_source_set_enabled(m->moment, SD_EVENT_ONESHOT) >= 0;
}

static bool any_is_early(const struct manager *m)
{
    for (size_t i = 0; i < m->view.records.n; i++)
        if (m->view.records.v[i].early)
            return true;
    return false;
}

static void on_applied(void *userdata, const struct pci_addr *addrs, size_t n)
{
    struct manager *m = userdata;

    look_at_bindings(m, addrs, n);
    if (m->stopping) {
        if (!m->view.records.fence.in_flight)
            sd_event_exit(m->event, 0);
        return;
    }
    if (step(m) < 0)
        return;
    if (any_is_early(m))
        (void)wait_a_moment(m);
    for (size_t i = 0; i < n; i++)
        announce_handed_back(&m->view, addrs[i]);
}

/* -- hot-plug -- */

static void on_hotplug(void *userdata, enum hotplug_action action, struct pci_addr a)
{
    struct manager *m = userdata;

    m->unbinds = m->unbinds || action == HOTPLUG_UNBIND;
    m->others = m->others || action != HOTPLUG_UNBIND;
    if (action == HOTPLUG_ADD || action == HOTPLUG_REMOVE) {
        m->view.events++;
        notes_forget(&m->view, a);
        if (m->serials)
            serials_ask_retry(m->serials);
    }
    if (action == HOTPLUG_ADD && m->view.snapshot.cold_boot)
        scan_boot(m->options.root_fd, &m->view.snapshot);
    if (action == HOTPLUG_ADD || action == HOTPLUG_REMOVE) /* what is there now is another */
        snapshot_remove(&m->view.snapshot, a);
    if (action == HOTPLUG_ADD)
        look_at(m, a);
    else if (action != HOTPLUG_REMOVE)
        look_at_bindings(m, &a, 1);
    struct device *d = snapshot_find(&m->view.snapshot, a);
    if (!d)
        return;
    if (action == HOTPLUG_ADD) {
        scan_order(m->options.root_fd, d);
        notes_plugged(&m->view, a);
        m->unsaved = true;
    }
    notes_event(&m->view, action, a);
}

/* Devices that lost their drivers are mostly on their way out: to bind one at once would fail, and
 * look like a failure. */
static void on_drained(void *userdata, bool lost)
{
    struct manager *m = userdata;
    bool only_unbinds = m->unbinds && !m->others;

    m->unbinds = m->others = false;
    if (lost) {
        m->view.overflows++;
        journal_event(EVENT_OVERFLOW, "the kernel dropped hot-plug events: looking at every device "
                                      "anew");
        (void)pass(m);
    } else if (!only_unbinds || !wait_a_moment(m)) {
        (void)scan_drivers(m->options.root_fd, &m->view.snapshot);
        (void)step(m);
    }
}

/* -- the policy -- */

/* Reads the policy anew and looks at everything; releases and failures of the past are forgotten.
 */
static int reload(struct manager *m)
{
    m->start_usec = now_usec();
    sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)m->start_usec);
    int r = policy_in_force_load(&m->view, true);
    if (r >= 0) {
        apply_set_timeout(m->apply, m->view.policy.unbind_timeout_usec);
        records_clear(&m->view.records);
        if (m->variants)
            variants_retry(m->variants);
        if (m->serials)
            serials_ask_retry(m->serials);
        m->reloading = true;
        r = pass(m);
    } else if (r != -EINVAL) {
        journal_plain(LOG_ERR, "reload failed: %s", strerror(-r));
    }
    send_status(m, m->view.ready ? "READY=1\n" : "");
    if (m->bus)
        bus_update(m->bus);
    return r;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    (void)source;
    (void)si;
    (void)reload(userdata);
    return 0;
}

/* -- what callers on the bus ask for -- */

static int request_reload(void *userdata, sd_bus_error *error)
{
    struct manager *m = userdata;
    int r = reload(m);

    return r == -EINVAL ? requests_policy_invalid(&m->view, error) : r;
}

static int request_rescan(void *userdata, sd_bus_error *error)
{
    struct manager *m = userdata;

    (void)error;
    m->start_usec = now_usec();
    records_retry(&m->view.records);
    return pass(m);
}

static int request_bind(void *userdata, struct pci_addr a, sd_bus_error *error)
{
    struct manager *m = userdata;
    int r = requests_mark_bind(&m->view, a, error);

    m->unsaved = m->unsaved || r >= 0;
    return r < 0 ? r : step(m);
}

static int request_release(void *userdata, struct pci_addr a, sd_bus_error *error)
{
    struct manager *m = userdata;
    int r = requests_mark_release(&m->view, a, error);

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

static int set_up_loop(struct manager *m)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    int r;

    sigemptyset(&set);
    for (size_t i = 0; i < ELEMENTS(signals); i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_IGN); /* workers are not waited for: their sockets tell when they end */
    signal(SIGPIPE, SIG_IGN);

    r = sd_event_new(&m->event);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGTERM, on_stop, m);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGINT, on_stop, m);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGHUP, on_reload, m);
    if (r >= 0)
        r = sd_event_set_watchdog(m->event, true);
    if (r >= 0)
        r = journal_attach(m->event);
    return r;
}

static int set_up(struct manager *m)
{
    const struct hotplug_handler handler = {on_hotplug, on_drained, m};
    int r = set_up_loop(m);

    m->lock_fd = held_lock(m->options.root_fd);
    if (m->lock_fd == -EWOULDBLOCK) {
        journal_plain(LOG_ERR, "another vfio-bindd is at work here (systemctl status vfio-bindd)");
        return -EBUSY;
    }
    if (r >= 0)
        r = apply_new(m->event, m->options.root_fd, &m->view.records, on_applied, m, &m->apply);
    if (r >= 0)
        r = look_again_new(m->event, look_again, m, &m->look_again);
    if (r >= 0)
        r = policy_in_force_load(&m->view, false);
    if (r >= 0)
        apply_set_timeout(m->apply, m->view.policy.unbind_timeout_usec);
    /* Before the first scan, so that nothing falls between the two. */
    if (r >= 0 && m->options.listen)
        r = hotplug_new(m->event, &handler, &m->hotplug);
    if (r >= 0 && m->options.listen)
        r = boot_watch_new(m->event, m->options.root_fd, on_boot_over, m, &m->boot_watch);
    if (r >= 0 && m->options.listen)
        r = sd_event_add_time(m->event, &m->moment, CLOCK_MONOTONIC, UINT64_MAX, 1000, on_moment,
                              m);
    if (r >= 0 && m->moment)
        r = sd_event_source_set_enabled(m->moment, SD_EVENT_OFF);
    if (r >= 0 && m->options.listen)
        r = serials_ask_new(m->event, on_serials, m, &m->serials);
    if (r >= 0 && m->options.listen)
        r = variants_new(m->event, on_variant, m, &m->variants);
    if (r >= 0 && m->options.listen)
        r = feature_files_new(m->event, m->options.root_fd, FEATURE_INTERVAL_USEC,
                              &m->feature_files);
    if (r >= 0 && !m->options.once)
        r = sd_event_add_time(m->event, &m->boot_deadline, CLOCK_MONOTONIC,
                              m->start_usec + m->view.policy.boot_deadline_usec, 0,
                              on_boot_deadline, m);
    return r;
}

/* What can wait until the first overrides are with a worker. */
static int set_up_bus(struct manager *m)
{
    const struct bus_requests requests = {request_reload, request_rescan, request_bind,
                                          request_release, m};

    return m->options.listen ? bus_new(m->event, &m->view, &requests, &m->bus) : 0;
}

static void manager_done(struct manager *m)
{
    look_again_free(m->look_again);
    boot_watch_free(m->boot_watch);
    feature_files_free(m->feature_files);
    bus_free(m->bus);
    variants_free(m->variants);
    serials_ask_free(m->serials);
    hotplug_free(m->hotplug);
    apply_free(m->apply);
    sd_event_source_disable_unref(m->boot_deadline);
    sd_event_source_disable_unref(m->moment);
    closep(&m->lock_fd);
    journal_close();
    sd_event_unref(m->event);
    plan_done(&m->view.plan);
    records_done(&m->view.records);
    snapshot_done(&m->view.snapshot);
    policy_done(&m->view.policy);
    for (size_t i = 0; i < m->view.n_mistakes; i++)
        free(m->view.mistakes[i]);
    free(m->view.mistakes);
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
        if (r < 0 && !options->once) /* tried again */
            r = 0;
    }
    if (r >= 0)
        r = set_up_bus(&m);
    if (r >= 0)
        r = sd_event_loop(m.event);
    if (r < 0) {
        journal_plain(LOG_ERR, "giving up: %s", strerror(-r));
        return r;
    }
    struct tally t = tally_make(&m.view);
    return options->once && !m.view.disabled && !tally_is_good(&t) ? 1 : 0;
}
