/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/vfs.h"

#include <errno.h>

#include "base/util.h"
#include "model/sriov.h"

/* -- physical and virtual functions -- */

static const struct device *physical_function(const struct builder *b, const struct device *vf)
{
    return vf->vf ? snapshot_find(b->snapshot, vf->pf) : NULL;
}

static const struct record *record_of_physical(const struct builder *b, const struct device *vf)
{
    const struct device *pf = physical_function(b, vf);

    return pf ? plan_record_of(b, pf) : NULL;
}

bool plan_is_our_vf(const struct builder *b, const struct device *d)
{
    const struct record *r = record_of_physical(b, d);

    return r && r->vfs.made > 0;
}

static struct vfs_verdict *verdict_of_physical(const struct builder *b, const struct device *pf)
{
    for (size_t i = 0; pf && i < b->n_vfs; i++)
        if (pci_addr_cmp(b->vfs[i].addr, pf->addr) == 0)
            return &b->vfs[i];
    return NULL;
}

/* Have we turned off autoprobe, so that its virtual functions get a driver only by an override? */
static bool is_autoprobe_off_by_us(const struct device *pf, const struct record *r)
{
    return pf->autoprobe_off && r && r->vfs.autoprobe_off;
}

bool plan_vf_waits(const struct builder *b, const struct device *d)
{
    const struct device *pf = physical_function(b, d);
    const struct vfs_verdict *v = verdict_of_physical(b, pf);

    if (!pf)
        return false;
    return (v && v->ours && v->wanted != v->there) ||
           is_autoprobe_off_by_us(pf, plan_record_of(b, pf));
}

/* -- verdicts -- */

/* The rule that sets the number of virtual functions is the one that decides about the device. (A
 * "native" rule may decide about other functions of its card as well, but not about their virtual
 * functions.) */
static const struct rule *rule_for_vfs(const struct builder *b, size_t i)
{
    const struct device *d = &b->snapshot->devices[i];
    const struct rule *r = b->rules[i];

    return r && rule_makes_vfs(r) && rule_test(r, d) < 0 ? r : NULL;
}

/* A rule that names exactly this device, with another number than the rule that decides. A wide
 * rule may have exceptions, but two rules that name the device contradict each other. */
static const struct rule *contradicting_rule(const struct builder *b, size_t i)
{
    const struct policy *p = b->policy;
    const struct device *d = &b->snapshot->devices[i];
    const struct rule *first = b->rules[i];

    if (!first || d->vf || !policy_uses(p, KEY_VFS))
        return NULL;
    for (size_t k = 0; k < p->n_rules; k++) {
        const struct rule *r = &p->rules[k];
        if (r != first && rule_makes_vfs(r) && r->vfs != first->vfs && rule_test(r, d) < 0 &&
            rule_names_device(r, d))
            return r;
    }
    return NULL;
}

static void vfs_end(struct vfs_verdict *v, enum device_state state, enum reason reason)
{
    v->state = state;
    v->reason = reason;
}

/* Changing the number removes all of them first: does the host use any, or is a worker busy with
 * one? The worker that makes the change finds processes that have one open. */
static bool judge_change(const struct builder *b, struct vfs_verdict *v, const struct device *d)
{
    const struct device *vf;

    for (size_t i = 0; (vf = sriov_next_vf(b->snapshot, d, &i));) {
        const struct record *r = plan_record_of(b, vf);
        if (vf->use) {
            v->user = vf->addr;
            vfs_end(v, STATE_BUSY, REASON_IN_USE);
            return true;
        }
        if (r && record_is_stuck(r)) {
            v->user = vf->addr;
            vfs_end(v, STATE_STUCK, REASON_DEADLINE);
            return true;
        }
        v->waits = v->waits || (r && record_is_in_hand(r));
    }
    return false;
}

/* The result of the last try. Returns false if there was none, or it may be tried again. */
static bool judge_attempt(struct vfs_verdict *v, const struct record_vfs *r)
{
    if (r->error == EBUSY)
        vfs_end(v, STATE_BUSY, REASON_IN_USE);
    else if (r->error != 0)
        vfs_end(v, STATE_FAILED, REASON_KERNEL_ERROR);
    else if (r->tried)
        vfs_end(v, STATE_FAILED, v->there > 0 ? REASON_VFS_SHORT : REASON_VFS_VANISHED);
    else
        return false;
    return true;
}

/* No rule asks for them any longer, or an administrator has released them. */
static void judge_taking_away(const struct builder *b, struct vfs_verdict *v,
                              const struct device *d, const struct record_vfs *r)
{
    if (!v->ours)
        vfs_end(v, STATE_RELEASED, REASON_NONE);
    else if (!judge_attempt(v, r) && !judge_change(b, v, d))
        vfs_end(v, STATE_PENDING, REASON_NONE);
}

static void judge_making(const struct builder *b, struct vfs_verdict *v, const struct device *d,
                         const struct record_vfs *r)
{
    if (v->other)
        vfs_end(v, STATE_REFUSED, REASON_VFS_AMBIGUOUS);
    else if (d->vfs_max == 0 || d->bridge)
        vfs_end(v, STATE_FAILED, REASON_NO_SRIOV);
    else if (v->wanted > d->vfs_max)
        vfs_end(v, STATE_FAILED, REASON_TOO_MANY_VFS);
    else if (v->there == v->wanted)
        vfs_end(v, STATE_BOUND, REASON_NONE);
    else if (v->there > 0 && !v->ours)
        vfs_end(v, STATE_REFUSED, REASON_VFS_NOT_OURS);
    else if (!d->driver || driver_is_vfio(d->driver) || streq(d->driver, "pci-stub"))
        vfs_end(v, STATE_PENDING, REASON_NATIVE_AWAITED);
    else if (!judge_attempt(v, r) && !judge_change(b, v, d))
        vfs_end(v, STATE_PENDING, REASON_NONE);
}

static void judge_physical(const struct builder *b, struct vfs_verdict *v, const struct device *d,
                           const struct record *r)
{
    static const struct record_vfs nothing = {0};
    const struct record_vfs *known = r ? &r->vfs : &nothing;

    if (r && record_is_in_hand(r))
        vfs_end(v, record_is_stuck(r) ? STATE_STUCK : STATE_PENDING,
                record_is_stuck(r) ? REASON_DEADLINE : REASON_NONE);
    else if (d->unknown.fact != FACT_NONE)
        vfs_end(v, STATE_REFUSED, REASON_UNREADABLE);
    else if (!v->rule || known->released)
        judge_taking_away(b, v, d, known);
    else
        judge_making(b, v, d, known);
}

void plan_judge_vfs(struct builder *b)
{
    size_t allocated = 0;

    for (size_t i = 0; i < b->snapshot->n && !b->out_of_memory; i++) {
        const struct device *d = &b->snapshot->devices[i];
        const struct record *r = b->known[i];
        const struct rule *other = d->detailed ? contradicting_rule(b, i) : NULL;
        const struct rule *rule = other ? other : rule_for_vfs(b, i);
        const bool released = r && r->vfs.released;

        if (!d->detailed ||
            (!rule && (!r || r->vfs.made == 0 || d->n_vfs == 0 || b->policy->incomplete ||
                       plan_is_undecided(b->policy, b->snapshot, d))))
            continue;
        if (!grow(&b->vfs, &allocated, b->n_vfs, sizeof(*b->vfs))) {
            b->out_of_memory = true;
            return;
        }
        struct vfs_verdict *v = &b->vfs[b->n_vfs++];
        *v = (struct vfs_verdict){.addr = d->addr,
                                  .rule = rule,
                                  .other = other ? b->rules[i] : NULL,
                                  .wanted = rule && !released ? (unsigned)rule->vfs : 0,
                                  .there = d->n_vfs,
                                  .ours = r && record_vfs_are_ours(&r->vfs, d->n_vfs)};
        judge_physical(b, v, d, r);
    }
}

/* -- actions -- */

/* May any rule take one of them from its native driver? */
static bool needs_autoprobe_off(const struct builder *b, const struct device *pf)
{
    for (size_t i = 0; i < b->policy->n_rules; i++)
        if (!rule_is_native(&b->policy->rules[i]) &&
            rule_may_select_vfs_of(&b->policy->rules[i], pf))
            return true;
    return false;
}

/* Does this plan have an action for one of its virtual functions? Then a later plan removes
 * them. */
static bool vfs_have_actions(const struct builder *b, const struct device *pf)
{
    for (size_t i = 0; pf->n_vfs > 0 && i < b->n_actions; i++) {
        const struct action *a = &b->actions[i];
        const struct device *d =
            action_is_dynid(a->kind) ? NULL : snapshot_find(b->snapshot, a->addr);
        if (d && sriov_is_vf_of(d, pf))
            return true;
    }
    return false;
}

static void add_set_vfs(struct builder *b, const struct vfs_verdict *v, const struct device *d)
{
    const struct record *r = plan_record_of(b, d);

    plan_add_action(b, PHASE_VFS, ACTION_SET_VFS, d, "");
    if (b->out_of_memory)
        return;
    struct action *a = &b->actions[b->n_actions - 1];
    a->vfs = v->wanted;
    a->vfs_there = v->there;
    a->sets_autoprobe = v->wanted > 0 ? !d->autoprobe_off && needs_autoprobe_off(b, d)
                                      : is_autoprobe_off_by_us(d, r);
}

/* Autoprobe can be restored when every virtual function that a rule selects has its override.
 * It stays until they are gone, unless some of them are for native drivers. */
static bool may_restore_autoprobe(const struct builder *b, const struct device *pf)
{
    const struct device *vf;
    bool stays = pf->n_vfs == 0;
    size_t n = 0;

    for (size_t i = 0; (vf = sriov_next_vf(b->snapshot, pf, &i)); n++) {
        const struct verdict *v = plan_verdict_of(b, vf);
        const struct record *r = plan_record_of(b, vf);
        const bool has_native = vf->driver && !driver_is_vfio(vf->driver);
        if (!v || (r && record_is_released(r)))
            stays = stays || !has_native;
        else if (!vf->driver && v->state == STATE_PENDING &&
                 !(r && record_is_overridden_to(r, v->driver)))
            return false;
    }
    return stays && n == pf->n_vfs;
}

static void add_restore_autoprobe(struct builder *b, const struct device *pf)
{
    const struct record *r = plan_record_of(b, pf);

    if (is_autoprobe_off_by_us(pf, r) && !record_is_in_hand(r) && pf->unknown.fact == FACT_NONE &&
        !r->vfs.restore_failed && may_restore_autoprobe(b, pf))
        plan_add_action(b, PHASE_VFS, ACTION_RESTORE_AUTOPROBE, pf, "");
}

void plan_add_vfs(struct builder *b)
{
    for (size_t i = 0; i < b->snapshot->n; i++) {
        const struct device *d = &b->snapshot->devices[i];
        const struct vfs_verdict *v = d->vf ? NULL : verdict_of_physical(b, d);
        if (v && v->state == STATE_PENDING && v->reason == REASON_NONE && !v->waits &&
            !vfs_have_actions(b, d) &&
            !(plan_record_of(b, d) && record_is_in_hand(plan_record_of(b, d))))
            add_set_vfs(b, v, d);
        else if (!d->vf)
            add_restore_autoprobe(b, d);
    }
}
