/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/judge.h"

#include <errno.h>

#include "base/util.h"
#include "model/kinds.h"
#include "plan/dynids.h"
#include "plan/select.h"
#include "plan/vfs.h"

/* -- what may be done -- */

/* Is the device on the driver to which we bound it, for this rule or an earlier one? */
static bool is_where_we_put_it(const struct device *d, const struct record *r)
{
    if (!r || !d->driver)
        return false;
    return driver_is_vfio(d->driver) ? record_is_owned(r) : record_has_bound_to(r, d->driver);
}

/* May the host need the device, as far as is known? At cold boot nothing is mounted and no link is
 * up, so a device that seems unused proves nothing. Later, a device without a driver has no user,
 * and neither has one on a driver that we gave it. A device that was plugged in while we ran had no
 * user before, unless it was refused and has only come back. */
static bool is_use_unknown(const struct builder *b, const struct verdict *v, const struct record *r)
{
    const struct snapshot *s = b->snapshot;
    const struct device *d = plan_device_of(b, v);
    const struct device *named = v->comes_along ? snapshot_find(s, v->leader) : d;

    if (!device_may_carry_host(d) || v->rule->force || (r && record_is_unused(r)))
        return false;
    if (!d->driver && plan_is_our_vf(b, d)) /* only our driver has had it */
        return false;
    if (v->comes_along && !device_must_be_named(d, named))
        return false;
    if (!s->cold_boot && (!d->driver || is_where_we_put_it(d, r)) &&
        !(r && record_stays_refused(r)))
        return false;
    return !rule_vouches_for(v->rule, named);
}

static void refuse(struct verdict *v, enum reason reason)
{
    v->state = STATE_REFUSED;
    v->reason = reason;
    if (reason == REASON_HOST_USE_UNKNOWN)
        v->problems |= PROBLEM_HOST_USE_UNKNOWN;
}

static void fail(struct verdict *v, enum reason reason)
{
    v->state = STATE_FAILED;
    v->reason = reason;
}

static void occupy(struct verdict *v)
{
    v->state = STATE_BUSY;
    v->reason = REASON_IN_USE;
}

/* May a virtual machine have the device, without a way to find out? */
static bool may_be_held(const struct builder *b, const struct device *d)
{
    return driver_is_vfio(d->driver) && !device_can_be_kept(b->snapshot, d);
}

/* Has a released device been handed back completely? A device that has left our driver may still
 * have our override, which must be removed as well. */
static void judge_released(const struct builder *b, struct verdict *v, const struct device *d,
                           const struct record *r)
{
    bool still_ours = streq_null(d->driver, v->driver);

    if (still_ours && d->has_vfs)
        refuse(v, REASON_HAS_VIRTUAL_FUNCTIONS);
    else if (still_ours && may_be_held(b, d))
        occupy(v);
    else if (r->error)
        fail(v, REASON_KERNEL_ERROR);
    else if (!still_ours)
        v->state = record_is_handed_back(r) ? STATE_RELEASED : STATE_PENDING;
    else if (record_is_handed_back(r))
        fail(v, REASON_TAKEN_BACK);
    else
        v->state = STATE_PENDING;
}

/* With "auto", a device that is in use on vfio-pci stays there; its variant driver can wait. */
static bool is_good_enough(const struct verdict *v, const struct device *d, const struct record *r)
{
    return rule_is_auto(v->rule) && streq_null(d->driver, DYNID_DRIVER) && r &&
           record_is_confirmed(r) && r->error && r->failed_at == ACTION_HOLD;
}

/* Did the kernel report, at a bind or a probe for drivers, that the device has no group? */
static bool has_no_group(const struct record *r)
{
    return r && r->error &&
           (r->failed_at == ACTION_PROBE || (r->failed_at == ACTION_BIND && r->error == EINVAL));
}

/* A virtual IOMMU makes the group of a device only when a driver binds it. If that IOMMU is not
 * there yet, the device is kept for it. Returns false if nothing prevents a bind. */
static bool judge_iommu(const struct builder *b, struct verdict *v, const struct device *d,
                        const struct record *r)
{
    if (d->group != NO_GROUP || b->snapshot->unsafe_noiommu || !driver_is_vfio(v->driver) ||
        (d->iommu == OUTLOOK_AT_BIND && !has_no_group(r)))
        return false;
    if (d->iommu == OUTLOOK_AWAITED && !b->records->iommu_given_up) {
        v->state = STATE_PENDING;
        v->reason = REASON_IOMMU_AWAITED;
    } else {
        v->problems |= PROBLEM_NO_IOMMU; /* vfio-pci's probe fails without a group */
        fail(v, REASON_NO_IOMMU);
    }
    return true;
}

/* Refuses the device if another function of its card must have a rule and has none. */
static bool refuse_as_other_is_unnamed(const struct builder *b, struct verdict *v)
{
    const struct device *other = plan_unnamed_function(b, v);

    if (!other)
        return false;
    v->other = other->addr;
    refuse(v, other->unidentified ? REASON_UNREADABLE : REASON_FUNCTION_NOT_NAMED);
    return true;
}

/* Refuses a device that was plugged in while we ran if its rule excludes such devices. Virtual
 * functions that we created do not count as plugged in. */
static bool refuse_as_plugged(const struct builder *b, struct verdict *v, const struct record *r)
{
    if (!r || !record_is_plugged(r) || v->rule->hotplug != HOTPLUG_OFF ||
        plan_is_our_vf(b, plan_device_of(b, v)))
        return false;
    refuse(v, REASON_HOTPLUG_OFF);
    return true;
}

static bool is_needed_at_boot(const struct verdict *v, const struct device *d,
                              const struct record *r)
{
    return d->evidence && !v->rule->force && !(r && record_is_unused(r));
}

/* Refuses a device that appeared during the boot and that the host may need, like a disk behind a
 * controller that has just got its driver. Virtual functions are not refused: they exist for
 * virtual machines. */
static bool refuse_as_wanted_at_boot(const struct builder *b, struct verdict *v,
                                     const struct device *d, const struct record *r)
{
    const bool asked = v->rule->keys[KEY_HOTPLUG].line > 0 && v->rule->hotplug == HOTPLUG_PREVENT;

    if (d->vf || asked)
        return false;
    if (is_use_unknown(b, v, r))
        refuse(v, REASON_HOST_USE_UNKNOWN);
    else if (is_needed_at_boot(v, d, r))
        refuse(v, REASON_NEEDED_AT_BOOT);
    else
        return false;
    return true;
}

/* Judges a plugged-in device that is on its driver only because a dynamic ID matches it. If its
 * rule refuses it, it goes back, even if an earlier run began to hand it back. */
static bool refuse_caught(const struct builder *b, struct verdict *v, const struct device *d,
                          const struct record *r)
{
    const bool goes_back = r && record_is_going_back(r) && driver_is_vfio(d->driver);

    return (plan_is_caught(b, d) || goes_back) &&
           (refuse_as_other_is_unnamed(b, v) || refuse_as_plugged(b, v, r) ||
            refuse_as_wanted_at_boot(b, v, d, r));
}

/* Judges a device that is not on its driver: may it be taken, and can it be? */
static void judge_taking(const struct builder *b, struct verdict *v, const struct device *d,
                         const struct record *r)
{
    if (may_be_held(b, d)) {
        occupy(v);
    } else if (d->has_vfs) {
        refuse(v, REASON_HAS_VIRTUAL_FUNCTIONS);
    } else if (d->fixed) {
        refuse(v, REASON_DRIVER_FIXED);
    } else if (d->boot_display && d->driver && !driver_is_vfio(d->driver) && !v->rule->force) {
        refuse(v, REASON_BOOT_DISPLAY);
    } else if (refuse_as_other_is_unnamed(b, v)) {
        ; /* v is refused now */
    } else if (is_use_unknown(b, v, r)) {
        refuse(v, REASON_HOST_USE_UNKNOWN);
    } else if (d->use && !v->rule->force) {
        occupy(v);
    } else if (is_needed_at_boot(v, d, r)) {
        refuse(v, REASON_NEEDED_AT_BOOT);
    } else if (refuse_as_plugged(b, v, r)) {
        ; /* v is refused now */
    } else if (judge_iommu(b, v, d, r)) {
        ; /* v is judged now */
    } else if (is_good_enough(v, d, r)) {
        v->driver = DYNID_DRIVER;
        v->state = STATE_BOUND;
    } else if (r && r->error &&
               (r->failed_at == ACTION_CHECK ||
                (r->error == EBUSY && r->failed_at == ACTION_HOLD))) {
        occupy(v);
    } else if (r && r->error) {
        fail(v, r->failed_at == ACTION_OVERRIDE ? REASON_OVERRIDE_DENIED : REASON_KERNEL_ERROR);
    } else if (r && record_is_unverified(r)) {
        fail(v, REASON_NOT_VERIFIED);
    } else if (!snapshot_is_registered(b->snapshot, v->driver)) {
        fail(v, REASON_DRIVER_MISSING);
    } else {
        v->state = STATE_PENDING;
    }
}

/* Judges a device on its own, without its group. */
static void judge_device(const struct builder *b, struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = plan_record_of(b, d);

    if (device_is_bridge(d)) {
        refuse(v, REASON_BRIDGE);
    } else if (r && record_is_in_hand(r)) {
        v->state = record_is_stuck(r) ? STATE_STUCK : STATE_PENDING;
        v->reason = record_is_stuck(r) ? REASON_DEADLINE : REASON_NONE;
    } else if (r && record_is_released(r)) {
        judge_released(b, v, d, r);
    } else if (r && record_is_contested(r)) {
        v->state = STATE_CONTESTED;
        v->reason = REASON_FLAPS;
    } else if (refuse_caught(b, v, d, r)) {
        ; /* v is refused now */
    } else if (streq_null(d->driver, v->driver) && r && record_is_confirmed(r)) {
        v->state = STATE_BOUND;
    } else if (streq_null(d->driver, v->driver)) {
        if (r && r->error)
            fail(v, REASON_KERNEL_ERROR);
        else
            v->state = STATE_PENDING;
    } else {
        judge_taking(b, v, d, r);
    }
}

/* A device that cannot be read is left alone: if it is bound it stays bound, otherwise it is
 * refused. */
static void judge_unknown(const struct builder *b, struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = plan_record_of(b, d);
    const bool missing = v->reason == REASON_DRIVER_MISSING;

    if (d->unknown.fact != FACT_NONE)
        v->problems |= PROBLEM_UNREADABLE;
    else if (!missing || b->snapshot->unknown.fact == FACT_NONE)
        return;
    if (((v->state == STATE_PENDING || v->state == STATE_FAILED) && !(r && record_is_in_hand(r))) ||
        missing)
        refuse(v, REASON_UNREADABLE);
}

/* Does the device prevent the rest of its IOMMU group from being taken? A bridge does not. */
static bool holds_back(const struct verdict *v)
{
    return (v->state == STATE_REFUSED && v->reason != REASON_GROUP_MEMBER_REFUSED &&
            v->reason != REASON_BRIDGE) ||
           v->reason == REASON_IN_USE;
}

/* Would the device be taken from the host? A device that is on its driver and only has to be
 * verified would not. One whose driver is missing would, since it is reserved for that driver. */
static bool is_to_be_taken(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = plan_record_of(b, d);

    if (v->state == STATE_PENDING)
        return (r && record_is_released(r)) || !streq_null(d->driver, v->driver);
    return v->reason == REASON_DRIVER_MISSING;
}

/* Devices of one IOMMU group that belong together are taken together or not at all: a group with
 * one protected member is of no use to a virtual machine. */
static void refuse_together(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct verdict *v = &b->verdicts[i];
        const struct device *d = plan_device_of(b, v), *member;
        if (!holds_back(v))
            continue;
        size_t at = groups_start(&b->groups, d->group);
        while ((member = plan_next_member(b, d->group, &at))) {
            struct verdict *other = plan_verdict_of(b, member);
            if (!other || !is_to_be_taken(b, other))
                continue;
            other->state = STATE_REFUSED;
            other->reason = REASON_GROUP_MEMBER_REFUSED;
            other->other = d->addr;
        }
    }
}

/* An IOMMU group is handed back as a whole: while one member is stuck in the kernel, the others
 * count as stuck, too. */
static void wait_for_group(struct builder *b, struct verdict *v)
{
    const struct device *d = plan_device_of(b, v), *member;
    const struct record *r = plan_record_of(b, d);
    size_t i = groups_start(&b->groups, d->group);

    if (v->state != STATE_PENDING || !r || !record_is_released(r) || record_is_in_hand(r))
        return;
    while ((member = plan_next_member(b, d->group, &i))) {
        const struct record *other = plan_record_of(b, member);
        if (!other || !record_is_stuck(other))
            continue;
        v->state = STATE_STUCK;
        v->reason = REASON_DEADLINE;
    }
}

/* -- is it usable -- */

/* Is there a node by which a virtual machine can open the device, and the one that its rule wants?
 */
static unsigned judge_nodes(const struct builder *b, const struct verdict *v,
                            const struct device *d)
{
    const bool iommufd = d->cdev && b->snapshot->iommufd;
    const bool wanted[INTERFACE_MAX] = {[INTERFACE_ANY] = d->node || iommufd,
                                        [INTERFACE_GROUP] = d->node,
                                        [INTERFACE_IOMMUFD] = iommufd};

    if (!d->node && !d->cdev)
        return PROBLEM_NODE_MISSING;
    return wanted[v->rule->interface] ? 0 : PROBLEM_INTERFACE_MISSING;
}

/* The rule has reset methods that have not been written yet. */
bool plan_is_reset_due(const struct verdict *v, const struct record *r)
{
    return v->rule->reset_method && !v->comes_along &&
           !(r && streq_null(r->reset_method, v->rule->reset_method));
}

/* Is the device fit for its next user? */
static unsigned judge_health(const struct verdict *v, const struct record *r)
{
    if (!r)
        return 0;
    return (r->health == HEALTH_DEAD ? PROBLEM_NOT_RESPONDING : 0U) |
           (v->rule->reset_method && r->reset_error != 0 ? PROBLEM_RESET_METHOD : 0U);
}

static void judge_use(const struct builder *b, struct verdict *v)
{
    const struct device *d = plan_device_of(b, v), *member;
    size_t i = groups_start(&b->groups, d->group);
    bool viable = true;

    while ((member = plan_next_member(b, d->group, &i))) {
        const struct verdict *other = plan_verdict_of(b, member);
        if (member == d)
            continue;
        if (member->unknown.fact != FACT_NONE) {
            viable = false;
            v->problems |= PROBLEM_UNREADABLE;
        }
        /* While remove() hangs, the driver link is gone, but the driver still has the device. */
        if (other && other->state == STATE_STUCK)
            viable = false;
        if (device_is_viable(member))
            continue;
        viable = false;
        if ((other && other->state == STATE_PENDING) || v->state == STATE_RELEASED)
            continue; /* no problem, since it is being rebound, or because this one is not to be
                         used, but not usable until then */
        v->problems |= PROBLEM_GROUP_NOT_VIABLE;
        if (v->state == STATE_REFUSED) /* .other belongs to the reason */
            break;
        v->other = member->addr;
        v->other_driver = member->driver;
        v->other_selected = other != NULL;
        break;
    }
    if (!v->comes_along && device_is_gpu_switch(d) && rule_names_by_vendor(v->rule, d))
        v->problems |= PROBLEM_SWITCH_BY_WILDCARD;
    if (!streq(v->driver, "vfio-pci"))
        v->problems |= PROBLEM_DRIVER_NOT_ADVERTISED;
    if (v->state != STATE_BOUND || !driver_is_vfio(v->driver))
        return;
    if (d->group == NO_GROUP)
        v->problems |= PROBLEM_NO_IOMMU;
    else if (judge_nodes(b, v, d) != 0)
        v->problems |= judge_nodes(b, v, d);
    else if (b->snapshot->unremapped)
        v->problems |= PROBLEM_INTERRUPTS_NOT_REMAPPED;
    if (d->claimant)
        v->problems |= PROBLEM_BAR_CLAIMED;
    if (d->unassigned)
        v->problems |= PROBLEM_BAR_UNASSIGNED;
    v->problems |= judge_health(v, plan_record_of(b, d));
    viable = viable && !plan_is_reset_due(v, plan_record_of(b, d));
    v->error = plan_record_of(b, d) ? plan_record_of(b, d)->reset_error : 0;
    v->usable = viable && !(v->problems & PROBLEMS_FORBID_USE);
}

static void judge_expect(struct builder *b)
{
    const struct plan so_far = {.verdicts = b->verdicts, .n_verdicts = b->n_verdicts};

    for (size_t i = 0; i < b->policy->n_rules; i++) {
        const struct rule *r = &b->policy->rules[i];
        if (r->expect < 0 || plan_count_matched(&so_far, r) == r->expect)
            continue;
        for (size_t k = 0; k < b->n_verdicts; k++)
            if (b->verdicts[k].rule == r)
                b->verdicts[k].problems |= PROBLEM_EXPECT_MISMATCH;
    }
}

void plan_judge(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++) {
        judge_device(b, &b->verdicts[i]);
        judge_unknown(b, &b->verdicts[i]);
    }
    refuse_together(b);
    for (size_t i = 0; i < b->n_verdicts; i++)
        wait_for_group(b, &b->verdicts[i]);
    for (size_t i = 0; i < b->n_verdicts; i++)
        judge_use(b, &b->verdicts[i]);
    plan_judge_dynids(b);
    judge_expect(b);
}
