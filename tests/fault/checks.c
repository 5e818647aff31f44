/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checks.h"

#include <errno.h>

#include "base/util.h"
#include "plan/plan.h"

#define TRIES 100

/* If the daemon was killed while it wrote, the sequence stays odd: then nothing counts as shown. */
void display_take(struct display *ret)
{
    struct shared *s = host.shared;

    for (int i = 0; i < TRIES; i++) {
        unsigned before = atomic_load(&s->sequence);
        ret->updates = s->updates;
        ret->events = s->events_shown;
        memcpy(ret->cards, s->cards, sizeof(ret->cards));
        memcpy(ret->ids, s->ids, sizeof(ret->ids));
        ret->n_ids = s->n_ids;
        ret->n_open = s->n_open;
        if (before % 2 == 0 && before == atomic_load(&s->sequence))
            return;
    }
    ret->updates = 0;
}

/* -- quiet -- */

static const char *open_work(const struct display *d)
{
    const struct shared *s = host.shared;

    if (d->updates == 0)
        return "nothing was shown yet";
    if (atomic_load(&s->unheard))
        return "the daemon has gone";
    if (d->events != atomic_load(&s->events_sent))
        return "events were not taken";
    if (atomic_load(&s->loading) > 0 && !something_hangs())
        return "a driver is being registered";
    for (unsigned i = 0; i < atomic_load(&s->asked); i++)
        if (atomic_load(&s->answers[i]) == NOT_ANSWERED)
            return "a request was not answered";
    for (size_t i = 0; i < host.n_cards; i++) {
        /* Nothing is done to a refused device, so nothing shows that a call of an earlier run
         * hangs. */
        bool hung = atomic_load(&s->hung[i]) > 0 && d->cards[i].state != STATE_REFUSED;
        if (d->cards[i].is_there && d->cards[i].state == STATE_PENDING)
            return "a device is pending";
        if (d->cards[i].state == STATE_STUCK && !group_is_in_call(i))
            return "a device is shown as stuck that is not";
        if (d->cards[i].state == STATE_STUCK && atomic_load(&s->lifted) && !something_hangs())
            return "what hung goes on, and is not over";
        if (hung && d->cards[i].is_there && d->cards[i].state != STATE_STUCK)
            return "a call hangs that is not shown as stuck";
    }
    return NULL;
}

bool is_quiet(const struct display *d, const char **ret_why)
{
    *ret_why = open_work(d);
    return !*ret_why;
}

/* -- true -- */

/* Has the kernel really given this error, for the device or for its group? */
static bool has_failed(size_t card, enum action_kind kind, int error)
{
    for (size_t i = 0; i < host.shared->n_calls; i++) {
        const struct call *c = &host.shared->calls[i];
        int other = card_index(c->address);
        if (c->kind == kind && c->result == -error && other >= 0 &&
            (other == (int)card || (kind == ACTION_HOLD && cards_share_group((size_t)other, card))))
            return true;
    }
    return false;
}

/* Returns what is true of the device, if what is shown of it is not; NULL if it is. */
static const char *lie(size_t card, const struct shown *shown)
{
    char driver[DRIVER_NAME_MAX];

    card_driver(card, driver);
    if (!card_is_there(card))
        return "it is gone";
    if (shown->state == STATE_STUCK)
        return NULL; /* the driver's link may change meanwhile, without notice */
    if (!streq(shown->driver, driver))
        return "it has another driver";
    if (shown->state == STATE_BOUND && (!streq(driver, shown->target) || card_is_in_call(card)))
        return "it is not bound";
    bool usable = shown->state == STATE_BOUND && card_is_viable(card) && card_has_node(card);
    if (shown->usable != usable && (shown->usable || !group_is_in_call(card)))
        return usable ? "it is usable" : "it is not usable";
    if (shown->state == STATE_RELEASED && streq(driver, shown->target))
        return "it is not released";
    if (shown->state == STATE_FAILED && shown->reason == REASON_KERNEL_ERROR) {
        if (!has_failed(card, shown->failed_at, shown->error))
            return "no call has failed like that";
        if (!strstr(shown->sentence, strerror(shown->error)))
            return "the sentence does not name the error";
    }
    if (shown->state == STATE_FAILED && shown->reason == REASON_NOT_VERIFIED &&
        host.shared->fault.kind != FAULT_NOTHING)
        return "every call did what it said";
    return NULL;
}

static bool has_id(const struct pci_id *ids, size_t n, const struct pci_id *id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i].vendor == id->vendor && ids[i].device == id->device &&
            ids[i].subvendor == id->subvendor && ids[i].subdevice == id->subdevice &&
            ids[i].class_code == id->class_code && ids[i].class_mask == id->class_mask)
            return true;
    return false;
}

static bool no_such_id(const struct pci_id *id, const char *where, char *problem)
{
    snprintf(problem, PROBLEM_SIZE, "the entry %x %x %x %x %x %x is only in %s", id->vendor,
             id->device, id->subvendor, id->subdevice, id->class_code, id->class_mask, where);
    return false;
}

/* Is vfio-pci's table what the daemon takes it for? */
static bool is_true_of_ids(const struct display *d, char problem[static PROBLEM_SIZE])
{
    const struct pci_id *ids;
    size_t n = dynamic_ids(&ids);

    for (size_t i = 0; i < n; i++)
        if (!has_id(d->ids, d->n_ids, &ids[i]))
            return no_such_id(&ids[i], "the kernel's table", problem);
    for (size_t i = 0; i < d->n_ids; i++)
        if (!has_id(ids, n, &d->ids[i]))
            return no_such_id(&d->ids[i], "the daemon's record", problem);
    return true;
}

bool is_true(const struct display *d, char problem[static PROBLEM_SIZE])
{
    /* After a fault a call may have said that it did what it did not. The daemon cannot see that,
     * since the kernel does not show the table. */
    if (host.shared->fault.kind == FAULT_NONE && !is_true_of_ids(d, problem))
        return false;
    for (size_t i = 0; i < host.n_cards; i++) {
        const struct shown *shown = &d->cards[i];
        const char *what = shown->is_there ? lie(i, shown) : NULL;
        if (!what)
            continue;
        snprintf(problem, PROBLEM_SIZE, "%s is shown as %s%s on %s (%s), but %s",
                 host.script->cards[i].address, state_word(shown->state),
                 shown->usable ? ", usable," : "", *shown->driver ? shown->driver : "no driver",
                 shown->sentence, what);
        return false;
    }
    return true;
}

/* -- the same -- */

static void describe_shown(const struct shown *s, char *buf, size_t size)
{
    if (s->is_there)
        snprintf(buf, size, "%s %s driver=%s problems=%x error=%d%s%s", state_word(s->state),
                 reason_word(s->reason), s->driver, s->problems, s->error,
                 s->usable ? " usable" : "", s->released ? " released" : "");
    else
        snprintf(buf, size, "nothing");
}

void picture_take(const struct display *d, struct picture *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < host.n_cards; i++) {
        char driver[DRIVER_NAME_MAX], override[DRIVER_NAME_MAX], shown[256];
        card_driver(i, driver);
        card_override(i, override);
        /* A device that a dynamic ID has caught needs no override, but has one after a restart. */
        if (driver_is_vfio(driver) && (!*override || streq(override, driver)))
            snprintf(override, sizeof(override), "as-bound");
        describe_shown(&d->cards[i], shown, sizeof(shown));
        const struct kernel_device *k = &host.shared->kernel.devices[i];
        char vfs[48] = "";
        if (k->total_vfs > 0)
            snprintf(vfs, sizeof(vfs), " vfs=%u autoprobe=%d", k->n_vfs, !k->autoprobe_off);
        snprintf(ret->lines[i], LINE_SIZE, "%s %s driver=%s override=%s%s%s; shown: %s",
                 host.script->cards[i].address, card_is_there(i) ? "there" : "absent", driver,
                 override, card_has_node(i) ? " node" : "", vfs, shown);
        snprintf(ret->pasts[i], LINE_SIZE, "previous=%s%s", d->cards[i].previous,
                 d->cards[i].touched ? " touched" : "");
    }
}

/* The card, or the physical function that it is a virtual one of. */
static size_t physical_of(size_t card)
{
    const char *physical = host.script->cards[card].physical;

    return physical ? (size_t)card_index(physical) : card;
}

/* Is it the device that the exemption is for, or does it share that one's group? Virtual functions
 * come and go together: while a call for one of them hangs, the physical function waits. */
static bool is_left_out(size_t card, const char *but)
{
    int fallen_on = but ? card_index(but) : -1;

    return fallen_on >= 0 && (cards_share_group(card, (size_t)fallen_on) ||
                              physical_of(card) == physical_of((size_t)fallen_on));
}

static bool is_unsaved(size_t card, const bool *unsaved)
{
    for (size_t i = 0; unsaved && i < host.n_cards; i++)
        if (unsaved[i] && cards_share_group(card, i))
            return true;
    return false;
}

bool picture_is_same(const struct picture *now, const struct picture *then,
                     const struct exempt *exempt, char problem[static PROBLEM_SIZE])
{
    for (size_t i = 0; i < host.n_cards; i++) {
        bool past = !exempt->all_pasts && !is_left_out(i, exempt->past);
        if (is_left_out(i, exempt->device) || is_unsaved(i, exempt->unsaved) ||
            (streq(now->lines[i], then->lines[i]) &&
             (!past || streq(now->pasts[i], then->pasts[i]))))
            continue;
        snprintf(problem, PROBLEM_SIZE, "\n  without fault %s %s\n  here          %s %s",
                 then->lines[i], then->pasts[i], now->lines[i], now->pasts[i]);
        return false;
    }
    return true;
}
