/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/manager.h"

#include <errno.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "loop/boot-watch.h"
#include "loop/hotplug.h"
#include "loop/look.h"
#include "loop/policy-in-force.h"
#include "loop/record-seen.h"
#include "loop/requests.h"
#include "loop/sequence.h"
#include "loop/signals.h"
#include "loop/trial-watch.h"
#include "tell/announce.h"
#include "tell/journal.h"
#include "tell/request-log.h"

/* Many devices may be plugged in at once, and handling them comes first. */
#define BARS_USEC (200 * 1000)

struct manager {
    struct sequence seq;
    struct hotplug *hotplug;       /* NULL: a single pass */
    struct boot_watch *boot_watch; /* the same */
    int lock_fd;
    bool plan_due;   /* an event of the current batch requires a new plan */
    bool iommu_came; /* the same, and all devices must be read */
};

/* -- what calls for a pass or a step -- */

static int pass(struct sequence *s)
{
    return sequence_look_anew(s, true);
}

static void look_again(void *userdata)
{
    struct sequence *s = userdata;

    if (s->stopping)
        return;
    bool completed = policy_in_force_complete(&s->view);
    if (completed) {
        apply_set_timeout(s->apply, s->view.policy.unbind_timeout_usec);
        records_apply_all(&s->view.records, &(struct record_event){.kind = RECORD_EVENT_RESCAN});
        helpers_retry(s->helpers);
    }
    (void)sequence_look_anew(s, completed);
}

/* Only now can be seen what the host uses. */
static void on_boot_over(void *userdata)
{
    struct sequence *s = userdata;

    if (!s->stopping)
        (void)sequence_look_anew(s, false);
}

/* More serial numbers are known, or no more will be. */
static void on_serials(void *userdata)
{
    struct sequence *s = userdata;

    look_at_unread(&s->view);
    (void)sequence_step(s);
}

/* The variant driver is loaded, or cannot be. */
static void on_variant(void *userdata, const char *module)
{
    struct sequence *s = userdata;

    look_at_drivers(&s->view);
    look_at_module(&s->view, module);
    (void)sequence_step(s);
}

/* A device was plugged in: the kernel may have taken BARs from others to make room for it. */
static void on_bars(void *userdata)
{
    struct sequence *s = userdata;

    if (!s->stopping && look_at_bars(&s->view, true))
        (void)sequence_step(s);
}

static void on_moment(void *userdata)
{
    struct sequence *s = userdata;
    const struct record_event e = {.kind = RECORD_EVENT_TIME, .now_usec = now_usec()};

    if (s->stopping)
        return;
    records_apply_all(&s->view.records, &e);
    look_at_drivers(&s->view);
    (void)sequence_step(s);
}

static void on_applied(void *userdata, const struct pci_addr *addrs, size_t n)
{
    struct sequence *s = userdata;

    look_at_results(&s->view, addrs, n, !s->is_daemon);
    if (s->stopping) {
        sequence_stop_if_idle(s);
        return;
    }
    if (sequence_step(s) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        announce_handed_back(&s->view, addrs[i]);
}

/* The IOMMU will not appear: devices that were kept for it go to their native drivers. */
static void on_iommu_given_up(void *userdata)
{
    struct sequence *s = userdata;

    s->view.records.iommu_given_up = true;
    (void)pass(s);
}

/* -- hot-plug -- */

/* Failures for lack of an IOMMU group no longer count. */
static void on_iommu(void *userdata)
{
    struct manager *m = userdata;

    m->iommu_came = true;
    record_seen_iommu(&m->seq.view);
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
        m->seq.view.events++;
        record_seen_forget(&m->seq.view, a);
        helpers_retry_serials(m->seq.helpers);
    }
    m->seq.unsaved = m->seq.unsaved || action == HOTPLUG_ADD;
    if (action == HOTPLUG_ADD && !timer_is_set(m->seq.bars))
        timer_set(m->seq.bars, now_usec() + BARS_USEC);
    if (!look_at_event(&m->seq.view, action, a))
        m->plan_due = true;
}

static void on_doubt(void *userdata)
{
    struct manager *m = userdata;

    record_seen_doubt(&m->seq.view);
}

static void on_drained(void *userdata, bool lost)
{
    struct manager *m = userdata;
    bool plan_due = m->plan_due, iommu_came = m->iommu_came;

    m->plan_due = m->iommu_came = false;
    if (lost) {
        m->seq.view.overflows++;
        journal_event(EVENT_OVERFLOW,
                      "the kernel dropped hot-plug events: examining every device again");
        record_seen_doubt(
            &m->seq.view); /* some of them may have told that a device does not work */
        (void)pass(&m->seq);
    } else if (iommu_came) {
        (void)pass(&m->seq);
    } else if (plan_due) {
        look_at_drivers(&m->seq.view);
        (void)sequence_step(&m->seq);
    } else { /* every device of these events is left alone for a moment */
        timer_set(m->seq.moment, records_next_usec(&m->seq.view.records));
    }
}

/* -- the policy -- */

/* Reads the policy and all devices again; forgets earlier releases and failures. */
static int reload(void *userdata)
{
    struct sequence *s = userdata;

    s->start_usec = now_usec();
    sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)s->start_usec);
    int r = policy_in_force_load(&s->view, true);
    if (r >= 0) {
        apply_set_timeout(s->apply, s->view.policy.unbind_timeout_usec);
        records_apply_all(&s->view.records, &(struct record_event){.kind = RECORD_EVENT_RELOAD});
        helpers_retry(s->helpers);
        r = pass(s);
    }
    if (r >= 0)
        announce_early(&s->view);
    sequence_tell_status(s, s->view.ready ? "READY=1\n" : "");
    front_link_update(s->front);
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
    struct sequence *s = userdata;
    int r = reload(s);

    return r == -EINVAL ? requests_policy_invalid(&s->view, why) : r;
}

static int request_rescan(void *userdata, struct refusal *why)
{
    struct sequence *s = userdata;

    (void)why;
    s->start_usec = now_usec();
    records_apply_all(&s->view.records, &(struct record_event){.kind = RECORD_EVENT_RESCAN});
    helpers_retry_iommu(s->helpers);
    return pass(s);
}

static int request_bind(void *userdata, struct pci_addr a, struct refusal *why)
{
    struct sequence *s = userdata;

    look_at_group(&s->view, a); /* the earlier use may have ended */
    int r = requests_mark_bind(&s->view, a, why);

    s->unsaved = s->unsaved || r >= 0;
    return r < 0 ? r : sequence_step(s);
}

static int request_release(void *userdata, struct pci_addr a, struct refusal *why)
{
    struct sequence *s = userdata;
    int r = requests_mark_release(&s->view, a, why);

    return r < 0 ? r : sequence_step(s);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
    (void)source;
    (void)si;
    sd_notify(false, "STOPPING=1");
    return sequence_stop(userdata);
}

/* Without the link nothing is shown on the bus, but everything else works. */
static void set_up_front(struct sequence *s)
{
    const struct front_requests requests = {request_reload, request_rescan, request_bind,
                                            request_release, s};
    int r = front_link_new(s->event, &s->view, &requests, &s->front);

    if (r < 0)
        journal_plain(LOG_WARNING, "cannot listen for vfio-bindd-front: %s", strerror(-r));
}

/* What only a daemon has. */
static int set_up_daemon(struct manager *m)
{
    struct sequence *s = &m->seq;
    const int root_fd = s->view.root_fd;
    const struct helpers_handler helpers = {on_serials, on_variant, on_iommu_given_up, s};
    int r = boot_watch_new(s->event, root_fd, on_boot_over, s, &m->boot_watch);

    if (r >= 0)
        r = trial_watch(s->event, &s->view, reload, s);
    if (r >= 0)
        r = timer_new(s->event, on_moment, s, &s->moment);
    if (r >= 0)
        r = timer_new(s->event, on_bars, s, &s->bars);
    if (r >= 0)
        r = helpers_new(s->event, &s->view, &helpers, &s->helpers);
    if (r >= 0)
        r = feature_files_new(s->event, root_fd, USEC_PER_SEC, &s->feature_files);
    if (r < 0)
        return r;
    set_up_front(s);
    (void)early_pass_read(root_fd, &s->view.early); /* only needed for messages */
    return sequence_set_deadline(s);
}

static int set_up(struct manager *m, enum manager_mode mode)
{
    struct sequence *s = &m->seq;
    const int root_fd = s->view.root_fd;
    const struct hotplug_handler handler = {on_hotplug, on_driver, on_iommu, on_doubt,
                                            on_drained, m,         root_fd};

    m->lock_fd = starting_lock(s->starting, root_fd);
    if (m->lock_fd == -EBUSY)
        return -EBUSY;
    int r = signals_loop_new(&s->event, on_stop, on_sighup, s);
    if (r >= 0)
        r = journal_attach(s->event);
    if (r >= 0)
        r = apply_new(s->event, root_fd, &s->view.records, on_applied, s, &s->apply);
    if (r >= 0)
        r = timer_new(s->event, look_again, s, &s->look_again.timer);
    if (r >= 0)
        r = policy_in_force_load(&s->view, false);
    if (r >= 0)
        apply_set_timeout(s->apply, s->view.policy.unbind_timeout_usec);
    starting_tell(s->starting, STARTING_DEADLINE, (int64_t)s->view.policy.boot_deadline_usec);
    /* Before the first scan, so that no event between the two is lost. */
    if (r >= 0 && s->is_daemon)
        r = hotplug_new(s->event, &handler, &m->hotplug);
    if (r >= 0 && s->is_daemon)
        r = set_up_daemon(m);
    if (r >= 0 && (mode == MANAGER_EARLY || mode == MANAGER_GIVE_BACK))
        r = early_new(s->event, &s->view, mode == MANAGER_GIVE_BACK, sequence_stop_late, s,
                      &s->early);
    return r;
}

static void manager_done(struct manager *m)
{
    struct sequence *s = &m->seq;

    early_free(s->early);
    timer_free(s->look_again.timer);
    boot_watch_free(m->boot_watch);
    feature_files_free(s->feature_files);
    front_link_free(s->front);
    helpers_free(s->helpers);
    hotplug_free(m->hotplug);
    apply_free(s->apply);
    sd_event_source_disable_unref(s->boot_deadline);
    timer_free(s->bars);
    timer_free(s->moment);
    closep(&m->lock_fd);
    journal_close();
    sd_event_unref(s->event);
    view_clear(&s->view);
}

int manager_run(const struct manager_options *options)
{
    CLEANUP(manager_done)
    struct manager m = {.seq = {.view.root_fd = options->root_fd,
                                .starting = options->starting,
                                .start_usec = now_usec(),
                                .is_daemon = options->mode == MANAGER_DAEMON},
                        .lock_fd = -1};
    struct sequence *s = &m.seq;
    int r;

    policy_init(&s->view.policy);
    r = set_up(&m, options->mode);
    if (r >= 0) {
        r = pass(s);
        if (r < 0 && s->is_daemon) /* the daemon tries again */
            r = 0;
    }
    if (r >= 0)
        r = sd_event_loop(s->event);
    if (r < 0) {
        journal_plain(LOG_ERR, "cannot continue: %s", strerror(-r));
        return r;
    }
    struct tally t = tally_make(&s->view);
    return !s->is_daemon && !s->view.disabled && !tally_is_good(&t) ? 1 : 0;
}
