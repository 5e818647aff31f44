/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "epilogue.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "model/snapshot.h"
#include "tree.h"

static bool is_shown_bound(const struct run *r, size_t card)
{
    return r->display.cards[card].is_there && r->display.cards[card].state == STATE_BOUND;
}

static bool is_on_vfio(size_t card)
{
    char driver[DRIVER_NAME_MAX];

    card_driver(card, driver);
    return card_is_there(card) && driver_is_vfio(driver);
}

static const char *address_of(size_t card)
{
    return host.script->cards[card].address;
}

/* -- what cannot be read -- */

/* While the daemon is blind it changes nothing, forgets nothing and says so. A reload fails, since
 * it cannot read the kernel command line at least. */
static bool check_blind(struct run *r, int error, enum request_kind kind,
                        const struct display *before)
{
    const size_t calls = host.shared->n_calls;

    atomic_store(&host.shared->read_error, error);
    unsigned number = ask(kind, NULL);
    if (!wait_until_quiet(r, "a request while nothing can be read"))
        return false;
    if (kind == REQUEST_RELOAD && atomic_load(&host.shared->answers[number]) == 0)
        return failed(r, "%s: the policy could not be read, and a reload succeeds",
                      strerror(error));
    if (host.shared->good || !host.shared->unread)
        return failed(r, "%s: nothing could be read, and it says it is ready", strerror(error));
    if (host.shared->n_calls != calls)
        return failed(r, "%s: nothing could be read, and it has written", strerror(error));
    for (size_t i = 0; i < host.n_cards; i++) {
        const struct shown *then = &before->cards[i], *now = &r->display.cards[i];
        if (then->is_there != now->is_there || then->touched != now->touched ||
            then->released != now->released || !streq(then->previous, now->previous) ||
            !streq(then->driver, now->driver))
            return failed(r, "%s: %s was forgotten", strerror(error), address_of(i));
        if (now->usable)
            return failed(r, "%s: %s is said to be usable", strerror(error), address_of(i));
    }
    return true;
}

/* Makes reading fail for a while. When the daemon sees again, everything is as before, without any
 * help. */
static bool lose_sight(struct run *r)
{
    static const int errors[] = {EMFILE, ENOMEM, EACCES, EIO};
    struct picture then, now;
    char problem[PROBLEM_SIZE];

    for (size_t n = 0; n < SIGHT_MAX * ELEMENTS(errors); n++) {
        const struct display before = r->display;
        const size_t i = n / SIGHT_MAX;
        uint64_t start = now_usec();
        atomic_store(&host.shared->sight, (int)(n % SIGHT_MAX));
        picture_take(&before, &then);
        if (!check_blind(r, errors[i], REQUEST_RESCAN, &before) ||
            !check_blind(r, errors[i], REQUEST_RELOAD, &before))
            return false;
        atomic_store(&host.shared->read_error, 0);
        while (atomic_load(&host.shared->unread)) {
            if (!look_after_daemon(r))
                return false;
            if (now_usec() - start > PATIENCE_USEC)
                return failed(r, "%s is over, and it does not look again", strerror(errors[i]));
            usleep(LOOK_USEC);
        }
        if (!wait_until_quiet(r, "it sees again"))
            return false;
        picture_take(&r->display, &now);
        if (!picture_is_same(&now, &then, &(struct exempt){0}, problem))
            return failed(r, "%s is over, and it is otherwise:%.*s", strerror(errors[i]),
                          PROBLEM_SIZE / 2, problem);
    }
    return true;
}

/* -- events that are lost -- */

/* Something happens to the card, but its events are dropped. The daemon learns only that events
 * were lost. */
static bool happens_unheard(struct run *r, int (*what)(size_t card), size_t card)
{
    atomic_store(&host.shared->deaf, true);
    int result = what(card);
    atomic_store(&host.shared->deaf, false);
    send_overflow();
    return (result == 0 || failed(r, "%s: the model says no", address_of(card))) &&
           wait_until_quiet(r, "events were lost");
}

/* Each card that is bound goes without an event, and comes back without one. */
static bool lose_events(struct run *r)
{
    for (size_t i = 0; i < host.n_cards; i++) {
        if (!is_shown_bound(r, i))
            continue;
        if (!happens_unheard(r, host_unplug, i))
            return false;
        if (r->display.cards[i].is_there)
            return failed(r, "%s went unheard, and is still shown", address_of(i));
        if (!happens_unheard(r, host_plug, i))
            return false;
        if (!is_shown_bound(r, i))
            return failed(r, "%s came unheard, and is not bound", address_of(i));
    }
    return true;
}

/* -- rules that are dropped -- */

static bool is_any_on_vfio(size_t *ret)
{
    for (*ret = 0; *ret < host.n_cards; ++*ret)
        if (is_on_vfio(*ret))
            return true;
    return false;
}

/* Has the daemon written the address of any device? */
static bool names_devices(void)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;

    return rootfs_read_file(host.root_fd, "run/vfio-bindd/state", 1 << 20, &text, &size) == 0 &&
           strstr(text, "0000:");
}

/* Everything was bound by the daemon, so everything goes back, and the dynamic IDs go, too. Nothing
 * is left. */
static bool drop_rules(struct run *r)
{
    struct tree t = {.fd = host.root_fd};
    uint64_t start = now_usec();
    size_t card;
    const struct pci_id *ids;

    snprintf(t.path, sizeof(t.path), "%s", host.path);
    tree_write(&t, "etc/vfio-bindd.conf", "# no rule\n");
    ask(REQUEST_RELOAD, NULL);
    if (!wait_until_quiet(r, "a reload without rules"))
        return false;
    while (is_any_on_vfio(&card) || dynamic_ids(&ids) > 0 || names_devices()) {
        if (!look_after_daemon(r))
            return false;
        if (now_usec() - start > PATIENCE_USEC)
            return card < host.n_cards
                       ? failed(r, "no rule names %s any more, and it is not handed back",
                                address_of(card))
                   : dynamic_ids(&ids) > 0 ? failed(r, "no rule is left, and there are dynamic IDs")
                                           : failed(r, "no rule is left, and devices are noted");
        usleep(LOOK_USEC);
    }
    return true;
}

/* -- trouble at the start -- */

#define STARVED_USEC 2600000 /* the daemon tries after 0, 0.5, 1.5 and 3.5 s */

/* Ends the daemon, and frees every device that it had bound. */
static bool end_daemon(struct run *r)
{
    int status = -1;

    kill(r->daemon, SIGTERM);
    if (waitpid(r->daemon, &status, 0) != r->daemon || status != 0)
        return failed(r, "the daemon did not end well: status %x", (unsigned)status);
    for (size_t i = 0; i < host.n_cards; i++)
        if (card_is_there(i) && is_on_vfio(i))
            (void)host_unbind(i);
    return true;
}

/* All this time the daemon says that not all is well, and lets the boot go on. */
static bool goes_on_in_trouble(struct run *r)
{
    const struct shared *s = host.shared;

    for (uint64_t start = now_usec(); now_usec() - start < STARVED_USEC; usleep(LOOK_USEC)) {
        if (!look_after_daemon(r))
            return false;
        display_take(&r->display);
        if (r->display.updates > 0 && (s->good || !s->unread))
            return failed(r, "not all can be done, and it does not say so");
    }
    return r->ready_usec > 0 || failed(r, "the boot waits for what cannot be done");
}

/* The trouble is over, and the daemon comes to the same end by itself. */
static bool recovers(struct run *r, const bool was_bound[static CARDS_MAX])
{
    for (uint64_t start = now_usec(); atomic_load(&host.shared->unread); usleep(LOOK_USEC))
        if (!look_after_daemon(r) || now_usec() - start > PATIENCE_USEC)
            return failed(r, "the trouble is over, and it does not try again");
    if (!wait_until_quiet(r, "after trouble at the start"))
        return false;
    for (size_t i = 0; i < host.n_cards; i++)
        if (was_bound[i] && !is_shown_bound(r, i))
            return failed(r, "%s is not bound again", address_of(i));
    return true;
}

/* The first pass fails. The daemon does not give up, and tries again, ever more rarely. */
static bool start_without_processes(struct run *r, const bool bound[static CARDS_MAX])
{
    struct shared *s = host.shared;

    if (!end_daemon(r))
        return false;
    atomic_store(&s->forks, 0);
    atomic_store(&s->fork_error, EAGAIN);
    if (!start_daemon(r) || !goes_on_in_trouble(r))
        return false;
    if (atomic_load(&s->forks) == 0 || atomic_load(&s->forks) > 4)
        return failed(r, "it tried %u times", atomic_load(&s->forks));
    atomic_store(&s->fork_error, 0);
    return recovers(r, bound);
}

static bool is_about_device(enum action_kind k)
{
    return !action_is_dynid(k) && k != ACTION_SET_PLACEHOLDER && k != ACTION_CLEAR_PLACEHOLDER;
}

/* Devices are left as they are until it can be read. The table of dynamic IDs is not: an entry
 * that no rule wants may take what is plugged in. */
static bool start_without_policy(struct run *r, int error, const bool bound[static CARDS_MAX])
{
    struct shared *s = host.shared;

    if (!end_daemon(r))
        return false;
    const size_t calls = s->n_calls;
    atomic_store(&s->sight, SIGHT_ALL_BUT_POLICY);
    atomic_store(&s->read_error, error);
    if (!start_daemon(r) || !goes_on_in_trouble(r))
        return false;
    for (size_t i = calls; i < s->n_calls; i++)
        if (is_about_device(s->calls[i].kind))
            return failed(r, "the policy cannot be read, and it has written: %s %s",
                          s->calls[i].address, action_word(s->calls[i].kind));
    atomic_store(&s->read_error, 0);
    return recovers(r, bound);
}

static bool start_in_trouble(struct run *r)
{
    bool bound[CARDS_MAX];

    if (!streq(host.script->name, "gpus"))
        return true; /* once is enough */
    for (size_t i = 0; i < host.n_cards; i++)
        bound[i] = is_shown_bound(r, i);
    return start_without_processes(r, bound) && start_without_policy(r, EIO, bound) &&
           start_without_policy(r, ENOMEM, bound);
}

bool epilogue(struct run *r)
{
    return lose_sight(r) && start_in_trouble(r) && lose_events(r) && drop_rules(r);
}
