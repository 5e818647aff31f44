/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/announce.h"

#include <assert.h>
#include <syslog.h>

#include "plan/text.h"
#include "plan/vfs-text.h"
#include "tell/journal.h"

/* journald limits bursts: with more lines than this at once, each rule gets one line. */
#define LINES_MAX 64

static size_t count_unexpected(const struct plan *plan, const struct policy *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_rules; i++)
        n += plan_is_unexpected(plan, &p->rules[i]);
    return n;
}

struct tally tally_make(const struct view *view)
{
    struct tally t = {.selected = view->plan.n_verdicts, .errors = view->n_errors};

    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        counts_add(&t.all, v->addr, v->comes_along, v->leader);
        if (v->state == STATE_BOUND)
            counts_add(&t.all_bound, v->addr, v->comes_along, v->leader);
        t.bound += v->state == STATE_BOUND;
        t.usable += v->state == STATE_BOUND && (v->usable || !driver_is_vfio(v->driver));
        t.good += device_is_good(v->state, v->usable, v->driver, true);
        t.refused += v->state == STATE_REFUSED;
        t.failed += v->state == STATE_FAILED;
        t.stuck += v->state == STATE_STUCK;
        t.busy += v->state == STATE_BUSY;
        t.released += v->state == STATE_RELEASED;
        t.contested += v->state == STATE_CONTESTED;
        t.pending += v->state == STATE_PENDING;
    }
    for (size_t i = 0; i < view->plan.n_vfs; i++)
        t.vfs_wrong += !vfs_are_good(&view->plan.vfs[i], view->snapshot.cold_boot);
    t.unexpected = count_unexpected(&view->plan, &view->policy);
    t.unknown = view->unread || view->trouble != 0;
    return t;
}

bool tally_is_good(const struct tally *t)
{
    return t->good == t->selected && t->errors == 0 && t->unexpected == 0 && t->vfs_wrong == 0 &&
           !t->unknown;
}

static size_t add_count(char *buf, size_t size, size_t used, size_t n, const char *what)
{
    if (n > 0 && used < size)
        used += (size_t)snprintf(buf + used, size - used, ", %zu %s", n, what);
    return used;
}

void announce_status(const struct view *view, char *buf, size_t size)
{
    const struct tally t = tally_make(view);
    char bound[COUNTS_TEXT_MAX];
    size_t used;

    if (view->disabled) {
        snprintf(buf, size, "disabled by the kernel command line");
        return;
    }
    if (view->policy.n_rules == 0 && t.errors == 0) {
        snprintf(buf, size, "nothing selected: add a rule to /etc/vfio-bindd.conf");
        return;
    }
    counts_part_text(&t.all_bound, &t.all, bound);
    used = (size_t)(t.selected > 0 ? snprintf(buf, size, "%s bound", bound)
                                   : snprintf(buf, size, "no device selected"));
    used = add_count(buf, size, used, t.bound - t.usable, "not usable");
    used = add_count(buf, size, used, t.refused, "refused");
    used = add_count(buf, size, used, t.failed, "failed");
    used = add_count(buf, size, used, t.stuck, "stuck");
    used = add_count(buf, size, used, t.busy, "in use");
    used = add_count(buf, size, used, t.released, "released");
    used = add_count(buf, size, used, t.contested, "contested");
    used = add_count(buf, size, used, t.pending, "pending");
    if (t.unknown && used < size)
        used += (size_t)snprintf(buf + used, size - used, ", not everything could be read");
    used = add_count(buf, size, used, t.vfs_wrong,
                     t.vfs_wrong == 1 ? "device without its virtual functions"
                                      : "devices without their virtual functions");
    used = add_count(buf, size, used, t.unexpected,
                     t.unexpected == 1 ? "rule with an unmet \"expect\""
                                       : "rules with an unmet \"expect\"");
    add_count(buf, size, used, t.errors,
              t.errors == 1 ? "error in the policy" : "errors in the policy");
}

/* Bound, but not usable, and there is a sentence about it. */
static bool is_unusable(const struct verdict *v)
{
    return v->state == STATE_BOUND && v->problems & PROBLEMS_FORBID_USE;
}

static bool is_news(const struct verdict *v, const struct record *r)
{
    return v->state != STATE_PENDING &&
           (!r || !r->told.any || r->told.state != v->state || r->told.reason != v->reason ||
            r->told.unusable != is_unusable(v));
}

static enum event_id event_of_state(enum device_state s)
{
    switch (s) {
    case STATE_BOUND:
        return EVENT_DEVICE_BOUND;
    case STATE_STUCK:
        return EVENT_DEVICE_STUCK;
    case STATE_BUSY:
        return EVENT_DEVICE_BUSY;
    case STATE_CONTESTED:
        return EVENT_DEVICE_CONTESTED;
    case STATE_RELEASED:
        return EVENT_DEVICE_RELEASED;
    case STATE_FAILED:
        return EVENT_DEVICE_FAILED;
    default:
        return EVENT_DEVICE_REFUSED;
    }
}

static void announce_device(const struct verdict *v, const struct snapshot *s,
                            const struct records *records)
{
    const struct device *d = snapshot_find(s, v->addr);
    const struct record *r = records_find(records, v->addr);
    char sentence[SENTENCE_MAX];

    if (!d) /* unplugged since the plan was made: its own event is logged later */
        return;
    verdict_sentence(v, s, records, sentence);
    journal_device(event_of_state(v->state), d, v, r, sentence);
    problem_sentence(v, s, sentence);
    if (*sentence)
        journal_device(v->usable || v->state != STATE_BOUND ? EVENT_DEVICE_REMARK
                                                            : EVENT_DEVICE_NOT_USABLE,
                       d, v, r, sentence);
}

static void announce_rules(const struct plan *plan, const struct policy *p)
{
    struct sum {
        struct device_counts all, bound;
        const struct verdict *bad; /* the first that is not bound */
    };
    CLEANUP_FREE struct sum *sums = calloc(p->n_rules + 1, sizeof(*sums));

    for (size_t i = 0; sums && i < plan->n_verdicts; i++) {
        const struct verdict *v = &plan->verdicts[i];
        assert(v->rule >= p->rules && v->rule < p->rules + p->n_rules);
        struct sum *sum = &sums[v->rule - p->rules];
        counts_add(&sum->all, v->addr, v->comes_along, v->leader);
        if (v->state == STATE_BOUND)
            counts_add(&sum->bound, v->addr, v->comes_along, v->leader);
        else if (!sum->bad)
            sum->bad = v;
    }
    for (size_t i = 0; sums && i < p->n_rules; i++) {
        const struct verdict *bad = sums[i].bad;
        char text[128], bound[COUNTS_TEXT_MAX];
        if (counts_total(&sums[i].all) == 0)
            continue;
        counts_part_text(&sums[i].bound, &sums[i].all, bound);
        snprintf(text, sizeof(text), bad ? "; not bound: %s (%s) and possibly others" : "%s",
                 bad ? pci_addr_text(bad->addr).s : "", bad ? state_word(bad->state) : "");
        journal_event(EVENT_RULE_SUMMARY, "rule %s: %s bound%s", p->rules[i].name, bound, text);
    }
}

static bool is_vfs_news(const struct vfs_verdict *v, const struct record *r, bool booting)
{
    const bool under_way = v->state == STATE_PENDING && vfs_are_good(v, booting);

    return !under_way &&
           (!r || !r->told.any || r->told.state != v->state || r->told.reason != v->reason);
}

static void announce_vfs(struct view *view)
{
    for (size_t i = 0; i < view->plan.n_vfs; i++) {
        const struct vfs_verdict *v = &view->plan.vfs[i];
        const struct device *d = snapshot_find(&view->snapshot, v->addr);
        struct record *r = records_find(&view->records, v->addr);
        const struct verdict fields = {.rule = v->rule, .state = v->state, .reason = v->reason};
        const struct record_event told = {.kind = RECORD_EVENT_TOLD,
                                          .verdict = {v->state, v->reason, NULL, false}};
        char sentence[SENTENCE_MAX];
        if (!d || !is_vfs_news(v, r, view->snapshot.cold_boot))
            continue;
        vfs_sentence(v, &view->snapshot, &view->records, sentence);
        journal_device(vfs_are_good(v, false) ? EVENT_VFS : EVENT_VFS_MISSING, d,
                       v->rule ? &fields : NULL, r, sentence);
        if (r)
            record_apply(r, &told);
    }
}

void announce_devices(struct view *view)
{
    const struct plan *plan = &view->plan;
    const struct snapshot *s = &view->snapshot;
    size_t news = 0;

    for (size_t i = 0; i < plan->n_verdicts; i++)
        news += is_news(&plan->verdicts[i], records_find(&view->records, plan->verdicts[i].addr));
    if (news > LINES_MAX)
        announce_rules(plan, &view->policy);
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct verdict *v = &plan->verdicts[i];
        struct record *r = records_find(&view->records, v->addr);
        const struct record_event told = {
            .kind = RECORD_EVENT_TOLD, .verdict = {v->state, v->reason, v->driver, is_unusable(v)}};
        if (!is_news(v, r))
            continue;
        if (news <= LINES_MAX)
            announce_device(v, s, &view->records);
        if (r)
            record_apply(r, &told);
    }
    announce_vfs(view);
}

static void announce_expect(const struct plan *plan, const struct policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct rule *r = &p->rules[i];
        if (plan_is_unexpected(plan, r))
            journal_event(EVENT_EXPECT_MISMATCH,
                          "rule %s expects %d devices and matches %d: look for a missing or an "
                          "added card (lspci -Dnn), or correct \"expect\"",
                          r->name, r->expect, plan_count_matched(plan, r));
    }
}

/* Logs devices that a rule by serial number may select. They are left alone until the number is
 * known. */
static void announce_undecided(const struct view *view)
{
    for (size_t i = 0; i < view->snapshot.n; i++)
        if (policy_is_undecided(&view->policy, &view->snapshot.devices[i]))
            journal_plain(
                LOG_WARNING,
                "%s: a rule names a serial number, but the serial number of this device could not "
                "be read, so it is left alone (systemctl status vfio-bindd-serials)",
                pci_addr_text(view->snapshot.devices[i].addr).s);
}

/* One line for the first device: all have the same cause. */
static void announce_dynids(const struct view *view)
{
    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        if (!(v->problems & PROBLEM_DYNAMIC_ID_INEFFECTIVE) || !v->earlier)
            continue;
        journal_event(EVENT_DYNAMIC_ID_INEFFECTIVE,
                      "%s was registered before %s, so at hot-plug the kernel offers it the "
                      "devices of [device %s] first: its probe() may run, and vfio-bindd rebinds "
                      "them; after a reboot with vfio-bindd enabled the order is right",
                      v->earlier, DYNID_DRIVER, v->rule->name);
        return;
    }
}

void announce_summary(const struct view *view, uint64_t usec)
{
    const struct tally t = tally_make(view);
    char text[256];

    announce_expect(&view->plan, &view->policy);
    announce_undecided(view);
    announce_dynids(view);
    announce_status(view, text, sizeof(text));
    if (view->policy.n_rules == 0 && t.errors == 0)
        journal_event(EVENT_NOTHING_SELECTED,
                      "nothing is selected: the policy has no rule; add one to "
                      "/etc/vfio-bindd.conf and run \"systemctl reload vfio-bindd\"");
    else
        journal_event(tally_is_good(&t) ? EVENT_READY : EVENT_DEGRADED, "%s (%.*f ms)", text,
                      usec < 100000, (double)usec / 1000);
}

void announce_early(const struct view *view)
{
    const struct early_pass *e = &view->early;

    if (!e->there)
        return;
    if (e->gave_back)
        journal_event(
            EVENT_INITRAMFS,
            "the root file system did not appear in the initramfs, so devices that may carry it "
            "were handed back to their native drivers there: those that this host uses now stay "
            "released, the others are taken again; correct the policy and rebuild the initramfs");
    else if (!e->ended)
        journal_event(EVENT_INITRAMFS,
                      "the pass in the initramfs did not finish, so native drivers may have probed "
                      "devices (journalctl -b -t vfio-bindd-initramfs)");
    if (e->policy != 0 && e->policy != view->policy.digest && view->policy.trial_until == 0)
        journal_event(EVENT_INITRAMFS,
                      "the initramfs of this boot has another policy than the one in force, and "
                      "the next boot begins with that policy, too, unless the initramfs has been "
                      "rebuilt since (update-initramfs -u or dracut --force; vfio-bindctl check)");
}

void announce_unknown(const struct view *view)
{
    const struct device *d;
    int error = view->trouble;
    enum fact f = error ? FACT_LISTING : snapshot_unknown(&view->snapshot, &d, &error);

    if (f == FACT_NONE && view->policy_unread) {
        journal_event(EVENT_UNREADABLE,
                      "part of the policy could not be read, and since it may narrow any rule, no "
                      "rule takes a device until it can be read; vfio-bindd keeps trying");
        return;
    }
    if (f == FACT_NONE) {
        journal_event(
            EVENT_UNREADABLE,
            "a device could not be read; what is known of it is kept, and vfio-bindd keeps trying");
        return;
    }
    if (view->trouble)
        d = NULL;
    journal_event(EVENT_UNREADABLE,
                  "%s%s %s could not be read: %s; whatever is unknown is left as it is, and "
                  "vfio-bindd keeps trying",
                  d ? pci_addr_text(d->addr).s : "the", d ? ": its" : "", fact_words(f),
                  strerror(error));
}

/* Devices that no rule selects: caught by a dynamic ID, or no longer selected by a new policy. */
void announce_handed_back(const struct view *view, struct pci_addr a)
{
    const struct device *d = snapshot_find(&view->snapshot, a);
    const struct record *r = records_find(&view->records, a);
    char text[SENTENCE_MAX];

    if (!d || !r || plan_find(&view->plan, a))
        return;
    if (r->error != 0 && d->driver)
        snprintf(text, sizeof(text),
                 "%s (%04x:%04x): no rule selects it, but it stays on %s, because it could not be "
                 "handed back: %s: %s; to try again, run \"systemctl reload vfio-bindd\"",
                 pci_addr_text(a).s, d->vendor, d->device, d->driver, action_word(r->failed_at),
                 r->holder ? r->holder : strerror(r->error));
    else if (record_is_handed_back(r) && !driver_is_vfio(d->driver))
        snprintf(text, sizeof(text), "%s (%04x:%04x): no rule selects it; handed back%s%s",
                 pci_addr_text(a).s, d->vendor, d->device,
                 d->driver ? " to " : "; it has no driver yet", d->driver ? d->driver : "");
    else
        return;
    journal_device(EVENT_DEVICE_DROPPED, d, NULL, r, text);
}
