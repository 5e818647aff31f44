/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manager.h"

#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "announce.h"
#include "apply.h"
#include "hotplug.h"
#include "journal.h"
#include "plan-text.h"
#include "policy-load.h"
#include "scan.h"

struct manager {
    struct manager_options options;
    sd_event *event;
    struct apply *apply;
    struct hotplug *hotplug;
    sd_event_source *boot_deadline;

    struct policy policy;
    size_t mistakes; /* errors found when the policy in force was loaded, or in one refused since */
    struct snapshot snapshot;
    struct records records;
    struct plan plan;

    uint64_t start_usec;
    bool disabled;    /* by the kernel command line */
    bool ready;       /* READY=1 was sent */
    bool summary_due; /* a pass over everything is under way: sum it up when it is done */
    unsigned long overflows;
};

static uint64_t now_usec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* -- tell -- */

static void send_status(const struct manager *m, const char *before)
{
    struct tally t = tally_make(&m->plan, &m->policy, m->mistakes);
    char text[256];

    if (m->disabled)
        snprintf(text, sizeof(text), "disabled by the kernel command line");
    else if (m->policy.n_rules == 0 && m->mistakes == 0)
        snprintf(text, sizeof(text), "nothing selected: add a rule to /etc/vfio-bindd.conf");
    else
        tally_sentence(&t, text, sizeof(text));
    sd_notifyf(false, "%sSTATUS=%s", before, text);
}

static void send_ready(struct manager *m)
{
    if (m->ready)
        return;
    m->ready = true;
    m->boot_deadline = sd_event_source_disable_unref(m->boot_deadline);
    send_status(m, "READY=1\n");
}

static void summarise(struct manager *m, uint64_t usec)
{
    struct tally t = tally_make(&m->plan, &m->policy, m->mistakes);
    char text[256];

    announce_expect(&m->plan, &m->policy);
    tally_sentence(&t, text, sizeof(text));
    if (m->policy.n_rules == 0 && m->mistakes == 0)
        journal_event(EVENT_NOTHING_SELECTED,
                      "nothing is selected: no policy has a rule; add one to /etc/vfio-bindd.conf "
                      "and run \"systemctl reload vfio-bindd\"");
    else
        journal_event(tally_is_good(&t) ? EVENT_READY : EVENT_DEGRADED, "%s (%llu ms)", text,
                      (unsigned long long)usec / 1000);
}

/* Nothing is under way any more but what is stuck. The boot waits for READY, not for the journal.
 */
static void settle(struct manager *m)
{
    uint64_t usec = now_usec() - m->start_usec;

    if (m->ready)
        send_status(m, "");
    else
        send_ready(m);
    if (m->disabled) {
        if (m->summary_due)
            journal_plain(LOG_NOTICE, "disabled by the kernel command line: nothing is done");
    } else {
        announce_devices(&m->plan, &m->policy, &m->snapshot, &m->records);
        if (m->summary_due)
            summarise(m, usec);
    }
    m->summary_due = false;
    if (apply_save(m->apply) < 0)
        journal_plain(LOG_WARNING, "cannot write /run/vfio-bindd/state: a restart will not know "
                                   "which drivers had the devices before");
    if (m->options.once)
        sd_event_exit(m->event, 0);
}

static int on_boot_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct manager *m = userdata;

    (void)source;
    (void)usec;
    send_ready(m);
    journal_event(EVENT_DEGRADED, "boot goes on at boot-deadline, the first pass is not done yet");
    announce_devices(&m->plan, &m->policy, &m->snapshot, &m->records);
    return 0;
}

/* -- the sequence -- */

/* What the scan shows of the past: a driver that has a device is done with its probe() if it had it
 * before we looked for the first time. */
static int note_facts(struct manager *m, bool everything)
{
    for (size_t i = 0; i < m->plan.n_verdicts; i++) {
        const struct verdict *v = &m->plan.verdicts[i];
        const struct device *d = &m->snapshot.devices[v->device];
        struct record *r = records_get(&m->records, d->addr);
        if (!r)
            return -ENOMEM;
        if (r->seen_usec == 0)
            r->seen_usec = now_usec();
        if (!d->driver)
            continue;
        r->unverified = false;
        if (!streq(d->driver, v->driver)) {
            r->touched = r->touched || !driver_is_vfio(d->driver);
        } else if (everything) {
            r->confirmed = true;
        }
        if (v->state == STATE_BOUND && r->bound_usec == 0 && r->overridden)
            r->bound_usec = now_usec() - r->seen_usec;
    }
    return 0;
}

static int make_plan(struct manager *m)
{
    struct plan new;
    int r = plan_make(&m->policy, &m->snapshot, &m->records, &new);

    if (r < 0)
        return r;
    plan_done(&m->plan);
    m->plan = new;
    return 0;
}

/* Plans over what is known now, starts what can be started, and tells when nothing is under way. */
static int step(struct manager *m, bool everything)
{
    int r = make_plan(m);

    if (r >= 0)
        r = note_facts(m, everything);
    if (r >= 0 && everything) /* the facts may change the verdicts */
        r = make_plan(m);
    if (r >= 0 && !m->disabled)
        r = apply_plan(m->apply, &m->plan);
    if (r < 0) {
        journal_plain(LOG_ERR, "cannot go on with the devices: %s", strerror(-r));
        return r;
    }
    if (!apply_is_busy(m->apply))
        settle(m);
    return 0;
}

static void drop_vanished(struct manager *m)
{
    for (size_t i = m->records.n; i-- > 0;)
        if (!snapshot_find(&m->snapshot, m->records.v[i].addr) && !m->records.v[i].in_flight)
            records_drop(&m->records, m->records.v[i].addr);
}

/* Looks at everything anew. */
static int pass(struct manager *m)
{
    struct snapshot new = {0};
    int r = scan_all(m->options.root_fd, &m->policy, &new);

    if (r == -ENOENT && !m->options.once) { /* a host without PCI, or a container */
        journal_plain(LOG_ERR,
                      "there is no /sys/bus/pci: is sysfs mounted on /sys? Nothing is bound");
        r = 0;
    }
    if (r < 0) {
        snapshot_done(&new);
        journal_plain(LOG_ERR, "cannot read /sys/bus/pci: %s%s", strerror(-r),
                      r == -ENOENT ? " (is sysfs mounted on /sys?)" : "");
        return r;
    }
    plan_done(&m->plan); /* it points into the old snapshot */
    snapshot_done(&m->snapshot);
    m->snapshot = new;
    drop_vanished(m);
    m->summary_due = true;
    return step(m, true);
}

/* What is known of a device that is gone, or has been replaced by another, counts no more. While a
 * worker has work for it the record stays, since no other worker may get any. */
static void forget(struct manager *m, struct pci_addr a)
{
    struct record *r = records_find(&m->records, a);

    if (r && r->in_flight)
        r->replaced = true;
    else
        records_drop(&m->records, a);
}

static void look_at(struct manager *m, struct pci_addr a)
{
    (void)scan_device(m->options.root_fd, &m->policy, a, &m->snapshot);
    if (!snapshot_find(&m->snapshot, a))
        forget(m, a);
}

static void on_applied(void *userdata, const struct pci_addr *addrs, size_t n)
{
    struct manager *m = userdata;

    for (size_t i = 0; i < n; i++)
        look_at(m, addrs[i]);
    (void)step(m, false);
}

/* -- hot-plug -- */

static void on_hotplug(void *userdata, enum hotplug_action action, struct pci_addr a)
{
    struct manager *m = userdata;
    struct record *r;

    if (action == HOTPLUG_ADD || action == HOTPLUG_REMOVE)
        forget(m, a);
    look_at(m, a);
    if (!snapshot_find(&m->snapshot, a))
        return;
    r = records_get(&m->records, a);
    if (r && action == HOTPLUG_ADD)
        r->hotplugged = true;
    if (r && (action == HOTPLUG_BIND || action == HOTPLUG_UNBIND)) {
        r->confirmed = action == HOTPLUG_BIND;
        r->overridden = false; /* whoever did it may have removed the override as well */
    }
}

static void on_drained(void *userdata, bool lost)
{
    struct manager *m = userdata;

    if (lost) {
        m->overflows++;
        journal_event(EVENT_OVERFLOW, "the kernel dropped hot-plug events: looking at every device "
                                      "anew");
        (void)pass(m);
    } else {
        (void)scan_drivers(m->options.root_fd, &m->policy, &m->snapshot);
        (void)step(m, false);
    }
}

/* -- the policy -- */

static void log_mistakes(const struct diags *d)
{
    for (size_t i = 0; i < d->n; i++)
        journal_mistake(&d->v[i]);
    if (d->errors + d->warnings > d->n)
        journal_plain(LOG_ERR, "and %zu more mistakes", d->errors + d->warnings - d->n);
}

/* What the new policy no longer names stays as it is: a virtual machine may have it. */
static void announce_dropped(struct manager *m, const struct policy *new)
{
    for (size_t i = 0; i < m->plan.n_verdicts; i++) {
        const struct verdict *v = &m->plan.verdicts[i];
        const struct device *d = &m->snapshot.devices[v->device];
        const struct device *leader = v->companion ? snapshot_find(&m->snapshot, v->leader) : d;
        const struct rule *rule = leader ? policy_match(new, leader) : NULL;
        char text[SENTENCE_MAX];
        if (v->state != STATE_BOUND || (rule && !rule_is_native(rule)))
            continue;
        snprintf(text, sizeof(text),
                 "%s is no longer selected and stays on %s; a reboot gives it "
                 "back to its native driver",
                 pci_addr_text(d->addr).s, v->driver);
        journal_device(EVENT_DEVICE_DROPPED, v, &m->snapshot, records_find(&m->records, d->addr),
                       text);
    }
}

/* At start the sound rules of a policy with mistakes are used; a running one is not replaced by it.
 */
static int load_policy(struct manager *m, bool reload)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy new;
    int r;

    policy_init(&new);
    r = policy_load(m->options.root_fd, &new, &d, &m->disabled);
    if (r < 0)
        return r;
    log_mistakes(&d);
    m->mistakes = d.errors;
    if (reload && d.errors > 0) {
        journal_event(EVENT_POLICY_REFUSED,
                      "the new policy has %zu mistake%s: the one in force stays; \"vfio-bindd "
                      "--check-policy\" lists them",
                      d.errors, d.errors == 1 ? "" : "s");
        return 0;
    }
    if (reload)
        announce_dropped(m, &new);
    plan_done(&m->plan); /* it points into the old policy */
    policy_done(&m->policy);
    m->policy = new;
    policy_init(&new);
    journal_set_level(m->policy.log_level);
    apply_set_timeout(m->apply, m->policy.unbind_timeout_usec);
    return 1;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    struct manager *m = userdata;

    (void)source;
    (void)si;
    m->start_usec = now_usec();
    sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)m->start_usec);
    int r = load_policy(m, true);
    if (r > 0) {
        records_clear_errors(&m->records);
        r = pass(m);
    }
    if (r < 0)
        journal_plain(LOG_ERR, "reload failed: %s", strerror(-r));
    send_status(m, m->ready ? "READY=1\n" : "");
    return 0;
}

/* -- start and end -- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    const struct manager *m = userdata;

    (void)source;
    (void)si;
    sd_notify(false, "STOPPING=1");
    return sd_event_exit(m->event, 0);
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

    if (r >= 0)
        r = apply_new(m->event, m->options.root_fd, &m->records, on_applied, m, &m->apply);
    if (r >= 0)
        r = load_policy(m, false);
    /* Before the first scan, so that nothing falls between the two. */
    if (r >= 0 && m->options.listen)
        r = hotplug_new(m->event, &handler, &m->hotplug);
    if (r >= 0)
        r = sd_event_add_time(m->event, &m->boot_deadline, CLOCK_MONOTONIC,
                              m->start_usec + m->policy.boot_deadline_usec, 0, on_boot_deadline, m);
    return r;
}

static void manager_done(struct manager *m)
{
    hotplug_free(m->hotplug);
    apply_free(m->apply);
    sd_event_source_disable_unref(m->boot_deadline);
    journal_close();
    sd_event_unref(m->event);
    plan_done(&m->plan);
    records_done(&m->records);
    snapshot_done(&m->snapshot);
    policy_done(&m->policy);
}

int manager_run(const struct manager_options *options)
{
    CLEANUP(manager_done) struct manager m = {.options = *options, .start_usec = now_usec()};
    int r;

    policy_init(&m.policy);
    r = set_up(&m);
    if (r >= 0)
        r = pass(&m);
    if (r >= 0)
        r = sd_event_loop(m.event);
    if (r < 0) {
        journal_plain(LOG_ERR, "giving up: %s", strerror(-r));
        return r;
    }
    struct tally t = tally_make(&m.plan, &m.policy, m.mistakes);
    return options->once && !m.disabled && !tally_is_good(&t) ? 1 : 0;
}
