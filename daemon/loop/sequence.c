/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/sequence.h"

#include <errno.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "loop/look.h"
#include "loop/record-seen.h"
#include "tell/announce.h"
#include "tell/journal.h"

/* How long a stop waits for workers to finish their jobs. */
#define ENDING_USEC (500 * 1000)

/* -- tell -- */

void sequence_tell_status(const struct sequence *s, const char *before)
{
    char text[256];

    announce_status(&s->view, text, sizeof(text));
    sd_notifyf(false, "%sSTATUS=%s", before, text);
}

static void send_ready(struct sequence *s)
{
    if (s->view.ready)
        return;
    if (starting_hand_over(s->starting) < 0) {
        (void)sd_event_exit(s->event, -EPIPE);
        return;
    }
    (void)sd_event_set_watchdog(s->event, true);
    s->view.ready = true;
    s->boot_deadline = sd_event_source_disable_unref(s->boot_deadline);
    sequence_tell_status(s, "READY=1\n");
}

/* The records contain what workers have begun, and are saved in /run. */
static int end(struct sequence *s)
{
    (void)apply_save(s->apply);
    return sd_event_exit(s->event, 0);
}

void sequence_stop_if_idle(struct sequence *s)
{
    if (s->withdraw_due)
        s->withdraw_due = apply_withdraw(s->apply) == -EAGAIN;
    if (!apply_is_ending(s->apply))
        (void)end(s);
}

void sequence_stop_late(void *userdata)
{
    (void)end(userdata);
}

static int on_ending_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    return end(userdata);
}

/* Bindings stay, and jobs that have begun are finished. Dynamic IDs that match only devices that
 * the policy selects stay as well, so that a restart leaves no gap. Entries that also match other
 * devices are removed, since nobody would hand those devices back. */
int sequence_stop(struct sequence *s)
{
    if (s->stopping)
        return 0;
    s->stopping = true;
    s->withdraw_due = apply_withdraw(s->apply) == -EAGAIN;
    if (!apply_is_ending(s->apply))
        return end(s);
    return sd_event_add_time_relative(s->event, NULL, CLOCK_MONOTONIC, ENDING_USEC, 0,
                                      on_ending_late, s);
}

/* As long as something cannot be read, everything is read again from time to time. */
static void follow_unknown(struct sequence *s)
{
    const bool before = s->view.unread || s->view.trouble != 0;
    const struct device *d;
    int error;

    s->view.unread = s->view.missed || s->view.policy_unread ||
                     snapshot_unknown(&s->view.snapshot, &d, &error) != FACT_NONE;
    if (s->view.unread && !before)
        announce_unknown(&s->view);
}

/* The first time, what the boot does not wait for is read after READY; from then on with each
 * plan. */
static void verify_first(struct sequence *s)
{
    if (s->early || !look_at_bars(&s->view, false))
        return;
    (void)view_plan(&s->view);
    follow_unknown(s);
    look_again_if(&s->look_again, s->view.unread);
}

/* No work is in progress any more, except what is stuck. READY is sent first, since the boot waits
 * for it. */
static void tell_settled(struct sequence *s)
{
    const uint64_t usec = now_usec() - s->start_usec;
    const bool first = !s->view.settled;

    if (first)
        s->view.ready_usec = usec;
    s->view.settled = true;
    if (s->view.ready)
        sequence_tell_status(s, "");
    else
        send_ready(s);
    if (first)
        verify_first(s);
    if (s->view.disabled) {
        if (s->summary_due)
            journal_plain(LOG_NOTICE, "disabled by the kernel command line: no device is touched");
    } else {
        announce_devices(&s->view);
        if (s->summary_due)
            announce_summary(&s->view, usec);
    }
    s->summary_due = false;
    if (apply_save(s->apply) < 0)
        journal_plain(LOG_WARNING, "cannot write /run/vfio-bindd/state: after a restart the "
                                   "previous drivers of the devices are unknown");
    if (s->feature_files)
        feature_files_update(s->feature_files, &s->view);
    if (s->early)
        early_ended(s->early);
    if (!s->is_daemon)
        sequence_stop(s);
    else if (first)
        announce_early(&s->view);
}

static int on_boot_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct sequence *s = userdata;

    (void)source;
    (void)usec;
    send_ready(s);
    journal_event(EVENT_DEGRADED, "boot-deadline passed during the first pass: the boot continues");
    announce_devices(&s->view);
    return 0;
}

int sequence_set_deadline(struct sequence *s)
{
    const uint64_t since = starting_since(s->starting, s->start_usec);

    return sd_event_add_time(s->event, &s->boot_deadline, CLOCK_MONOTONIC,
                             since + s->view.policy.boot_deadline_usec, 0, on_boot_deadline, s);
}

/* -- the sequence -- */

/* The boot goes on before rebinds, which may take long. They do not race with native drivers. */
static bool is_critical_part_done(const struct sequence *s)
{
    return !apply_batch_is_running(s->apply) && !helpers_are_awaited(s->helpers) &&
           (s->view.plan.n_actions == 0 || s->view.plan.actions[0].phase >= PHASE_REBIND);
}

/* An operation that should not fail has failed (no memory, no process). Logs that, makes nobody
 * wait, and tries again later. The view and the verdicts stay as they were. */
static int step_failed(struct sequence *s, int error)
{
    const bool before = s->view.trouble != 0;

    s->view.trouble = -error;
    if (!before)
        journal_plain(LOG_ERR, "cannot handle the devices: %s; trying again", strerror(-error));
    if (!s->is_daemon)
        return sd_event_exit(s->event, error);
    send_ready(s);
    look_again_if(&s->look_again, true);
    front_link_update(s->front);
    return error;
}

/* Makes the plan. Devices that are about to lose their native driver, or to be removed, are read
 * again before, since their current state matters. */
static int plan(struct sequence *s)
{
    struct pci_addr next[APPLY_REBINDS_MAX];
    if (s->early)
        return early_plan(s->early);
    if (s->view.ready)
        (void)look_at_bars(&s->view, false);
    int r = view_plan(&s->view);
    size_t n = r >= 0 && !s->view.disabled ? apply_next_rebinds(s->apply, &s->view.plan, next) : 0;

    look_at_devices(&s->view, next, n);
    if (r >= 0 && !s->view.disabled && !apply_batch_is_running(s->apply))
        n += look_at_vfs_to_remove(&s->view);
    return n > 0 ? view_plan(&s->view) : r;
}

int sequence_step(struct sequence *s)
{
    if (s->stopping)
        return 0;
    int r = plan(s);
    if (r >= 0)
        follow_unknown(s);
    if (r >= 0)
        r = record_seen_plan(&s->view);
    if (r > 0) /* devices that no rule selects any more may be handed back now, which needs a new
                  plan */
        r = view_plan(&s->view);
    if (r >= 0 && is_critical_part_done(s) && s->view.plan.n_actions > 0 && s->is_daemon)
        send_ready(s);
    if (r >= 0 && !s->view.disabled)
        r = apply_plan(s->apply, &s->view.plan);
    if (r < 0)
        return step_failed(s, r);
    s->view.trouble = 0;
    look_again_if(&s->look_again, s->view.unread);
    if (!s->view.disabled)
        helpers_ask(s->helpers);
    /* Not earlier: writing the override must not wait for a file. */
    if (s->unsaved && apply_save(s->apply) >= 0)
        s->unsaved = false;
    if (!helpers_are_awaited(s->helpers) && !apply_is_busy(s->apply))
        tell_settled(s);
    timer_set(s->moment, records_next_usec(&s->view.records));
    front_link_update(s->front);
    return 0;
}

int sequence_look_anew(struct sequence *s, bool summary)
{
    bool first = s->view.snapshot.n == 0;
    int r = look_at_all(&s->view, s->is_daemon);

    if (r < 0) {
        journal_plain(LOG_ERR, "cannot read /sys/bus/pci: %s%s", strerror(-r),
                      r == -ENOENT ? " (is sysfs mounted on /sys?)" : "");
        return !s->is_daemon ? r : step_failed(s, r);
    }
    if (first)
        early_take_again(&s->view);
    s->unsaved = s->unsaved || !first;
    s->summary_due = s->summary_due || summary;
    return sequence_step(s);
}
