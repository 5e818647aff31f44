/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "epilogue.h"

#include <unistd.h>

#include "clock.h"
#include "snapshot.h"
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

/* -- events that are lost -- */

/* What happens to the card is not told, only that something was not. */
static bool happens_unheard(struct run *r, int (*what)(size_t card), size_t card)
{
    atomic_store(&host.shared->deaf, true);
    int result = what(card);
    atomic_store(&host.shared->deaf, false);
    send_overflow();
    return (result == 0 || failed(r, "%s: the model says no", address_of(card))) &&
           wait_until_quiet(r, "events were lost");
}

/* Each that is bound goes unheard, and comes again. */
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

/* All was bound by the daemon, so all goes back, and the fence with it. */
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
    while (is_any_on_vfio(&card) || dynamic_ids(&ids) > 0) {
        if (!look_after_daemon(r))
            return false;
        if (now_usec() - start > PATIENCE_USEC)
            return card < host.n_cards
                       ? failed(r, "no rule names %s any more, and it is not handed back",
                                address_of(card))
                       : failed(r, "no rule is left, and the fence has entries");
        usleep(LOOK_USEC);
    }
    return true;
}

bool epilogue(struct run *r)
{
    return lose_events(r) && drop_rules(r);
}
