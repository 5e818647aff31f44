/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/outcome.h"

#include <errno.h>

#include "plan/text.h"
#include "plan/vfs-text.h"

/* Is the device bound, but of no use until another one of its group is bound, too? */
static bool waits_for_group(const struct view *view, const struct verdict *v)
{
    const struct device *d = snapshot_find(&view->snapshot, v->addr), *member;

    if (v->state != STATE_BOUND || v->usable || !d || d->group == NO_GROUP)
        return false;
    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *other = &view->plan.verdicts[i];
        if (other->state == STATE_PENDING && other->reason == REASON_NONE &&
            (member = snapshot_find(&view->snapshot, other->addr)) && member->group == d->group)
            return true;
    }
    return false;
}

bool outcome_is_pending(const struct view *view, struct pci_addr a)
{
    const struct verdict *v = plan_find(&view->plan, a);
    const struct vfs_verdict *pf = v ? NULL : plan_find_vfs(&view->plan, a);

    return (v && (v->state == STATE_PENDING || waits_for_group(view, v))) ||
           (pf && pf->state == STATE_PENDING && pf->reason == REASON_NONE);
}

/* The group could not be held open for the release, so nothing was done. */
static int say_held(const struct view *view, const struct device *d, struct refusal *why)
{
    const struct record *r = records_find(&view->records, d->addr);
    const struct pci_addr_text a = pci_addr_text(d->addr);
    const struct node_text node = d->node ? device_group_node(d) : device_own_node(d);

    if (r && r->hold_error != 0 && r->hold_error != EBUSY)
        return refuse(why, REFUSAL_FAILED,
                      "%s cannot be released: %s could not be opened to see whether a virtual "
                      "machine uses it: %s%s",
                      a.s, node.s, strerror(r->hold_error),
                      errno_advice(r->hold_error, ACTION_HOLD));
    if (r && r->holder)
        return refuse(why, REFUSAL_BUSY, "IOMMU group %u of %s is in use: %s; end that first",
                      d->group, a.s, r->holder);
    return refuse(why, REFUSAL_BUSY,
                  "IOMMU group %u of %s is in use: a virtual machine, or another program, has it "
                  "open; end that first (fuser -v %s)",
                  d->group, a.s, node.s);
}

static enum refusal_kind refusal_of_state(enum device_state s)
{
    return s == STATE_REFUSED ? REFUSAL_REFUSED : s == STATE_FAILED ? REFUSAL_FAILED : REFUSAL_BUSY;
}

/* For a physical function whose virtual functions were to be created or removed. */
static int outcome_of_vfs(const struct view *view, const struct vfs_verdict *pf, bool bind,
                          struct refusal *why)
{
    char sentence[SENTENCE_MAX];

    if (pf->state == (bind ? STATE_BOUND : STATE_RELEASED))
        return 0;
    vfs_sentence(pf, &view->snapshot, &view->records, sentence);
    return refuse(why, refusal_of_state(pf->state), "%s", sentence);
}

int outcome(const struct view *view, struct pci_addr a, bool bind, struct refusal *why)
{
    const struct verdict *v = plan_find(&view->plan, a);
    char sentence[SENTENCE_MAX];

    const struct device *d = snapshot_find(&view->snapshot, a);
    const struct vfs_verdict *pf = v ? NULL : plan_find_vfs(&view->plan, a);

    if (pf && d)
        return outcome_of_vfs(view, pf, bind, why);
    if (!v || !d)
        return refuse(why, REFUSAL_NO_SUCH_DEVICE, "%s is gone", pci_addr_text(a).s);
    if (v->state == (bind ? STATE_BOUND : STATE_RELEASED))
        return 0;
    if (!bind && v->state == STATE_BOUND)
        return say_held(view, d, why);
    verdict_sentence(v, &view->snapshot, &view->records, sentence);
    return refuse(why, refusal_of_state(v->state), "%s", sentence);
}
