/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/actions.h"

#include "base/util.h"
#include "model/kinds.h"
#include "plan/dynids.h"
#include "plan/judge.h"
#include "plan/vfs.h"

/* -- handing back -- */

/* Could a member of the group not be read? Then the group is not handed back. */
static bool group_is_unread(const struct builder *b, const struct device *d)
{
    const struct device *member;
    size_t i = groups_start(&b->groups, d->group);

    while ((member = plan_next_member(b, d->group, &i)))
        if (member->unknown.fact != FACT_NONE)
            return true;
    return false;
}

/* Did we put the device on a driver that is not VFIO's? It stays there if the host uses it, or if
 * that driver has made virtual functions. */
static bool is_on_other_target(const struct device *d, const struct record *r)
{
    return d->driver && !driver_is_vfio(d->driver) && !d->use && !d->has_vfs &&
           record_has_bound_to(r, d->driver);
}

/* May what could not be parsed be about the device? It is not taken back then from what the rules
 * before the error gave it to. One that a dynamic ID caught was given to nobody: without the entry
 * its native driver would have it. */
static bool may_be_in_error(const struct builder *b, const struct device *d)
{
    return b->policy->incomplete && !plan_is_caught(b, d);
}

/* For a device that no rule selects, or that its rule refuses: must anything of ours be undone? If
 * another driver has it, or none, only our override is removed, which would keep native drivers
 * away for good. If we took it from its native driver, that driver is offered it again. */
static bool is_left_over(const struct builder *b, const struct device *d, const struct record *r)
{
    if (!d->detailed || d->unknown.fact != FACT_NONE || d->bridge || record_is_handed_back(r) ||
        r->error != 0 || may_be_in_error(b, d) || plan_is_undecided(b->policy, b->snapshot, d))
        return false;
    if (!driver_is_vfio(d->driver))
        return record_may_be_overridden(r) || (!d->driver && record_is_going_back(r));
    /* Virtual functions would vanish. */
    return device_can_be_kept(b->snapshot, d) && !d->has_vfs && !group_is_unread(b, d) &&
           (record_is_owned(r) || plan_is_caught(b, d));
}

/* Does the rule refuse a device that a dynamic ID caught, or that an earlier rule bound to a driver
 * other than this rule's? */
static bool is_ours_and_refused(const struct builder *b, const struct verdict *v,
                                const struct device *d, const struct record *r)
{
    if (!reason_sends_back(v->reason))
        return false;
    if (plan_is_caught(b, d) || record_is_going_back(r))
        return true;
    return record_is_owned(r) && !record_is_contested(r) && !record_is_released(r) && d->driver &&
           !streq(d->driver, v->driver);
}

/* Must the device go back to its native driver, because an administrator released it, or because it
 * is ours and no rule selects it or its rule refuses it? */
static bool wants_hand_back(const struct builder *b, const struct device *d)
{
    const struct verdict *v = plan_verdict_of(b, d);
    const struct record *r = plan_record_of(b, d);

    if (!r || record_is_in_hand(r) || record_is_waiting(r) || plan_vf_waits(b, d))
        return false;
    if (!v || is_ours_and_refused(b, v, d, r))
        return is_left_over(b, d, r);
    return v->state == STATE_PENDING && record_is_released(r);
}

/* Is the device on the driver that its rule wants? If no rule selects it any longer, or its rule
 * refuses it: did a rule or a dynamic ID put it on its driver? */
static bool is_ours_now(const struct builder *b, const struct device *d)
{
    const struct verdict *v = plan_verdict_of(b, d);

    if (v && !reason_sends_back(v->reason))
        return streq_null(d->driver, v->driver);
    return driver_is_vfio(d->driver) || is_on_other_target(d, plan_record_of(b, d));
}

/* Is a worker busy with a member of the group? Only one worker can hold a group open. A stuck
 * worker does not count. */
static bool group_is_in_flight(const struct builder *b, const struct device *d)
{
    const struct device *member;
    size_t i = groups_start(&b->groups, d->group);

    while ((member = plan_next_member(b, d->group, &i))) {
        const struct record *r = plan_record_of(b, member);
        if (r && record_is_in_hand(r) && !record_is_stuck(r))
            return true;
    }
    return false;
}

/* Is the device on vfio-pci only because of one of our dynamic IDs, as far as is known? Somebody
 * else's override may have put it there. Only a worker can read that, since reading it takes the
 * device's lock. (A released device that has not just been plugged in again goes back in any
 * case.) */
static bool is_ours_by_entry(const struct device *d, const struct record *r)
{
    return driver_is_vfio(d->driver) && !record_may_be_overridden(r) &&
           (!record_is_released(r) || r->fresh);
}

/* Adds one step for a device that goes back, if it needs that step. */
static void add_hand_back_step(struct builder *b, enum action_kind kind, const struct device *d)
{
    const struct record *r = plan_record_of(b, d);
    const char *driver = "";

    if (kind == ACTION_CHECK && is_ours_by_entry(d, r))
        driver = d->driver;
    else if (kind == ACTION_CHECK && (driver_is_vfio(d->driver) || !is_ours_now(b, d)))
        return; /* with VFIO's drivers, the users are found by the group */
    if (kind == ACTION_UNBIND && !is_ours_now(b, d))
        return;
    if (kind == ACTION_CLEAR && !record_may_be_overridden(r) &&
        (!record_is_released(r) || r->fresh))
        return; /* an override would not be ours */
    if (kind == ACTION_CLEAR && !record_is_released(r) && r->override_text)
        driver = r->override_text;
    if (kind == ACTION_PROBE && dynids_has(&b->records->dynids, d))
        return; /* a dynamic ID would snatch it back */
    if (kind == ACTION_UNBIND)
        driver = d->driver;
    if (kind == ACTION_NATIVE && r->previous_driver)
        driver = r->previous_driver;
    plan_add_action(b, PHASE_RELEASE, kind, d, driver);
}

/* Is the device already on its native driver, so that only its override is left to remove? Then its
 * group does not matter. */
static bool only_loses_override(const struct builder *b, const struct device *d)
{
    const struct verdict *v = plan_verdict_of(b, d);

    return (!v || reason_sends_back(v->reason)) && d->driver && !is_ours_now(b, d);
}

/* The next member of a group to be handed back, from position *i on; NULL after the last. */
static const struct device *next_handed_back(const struct builder *b, uint32_t group, size_t *i)
{
    const struct device *member;

    while ((member = plan_next_member(b, group, i)))
        if (wants_hand_back(b, member) && !only_loses_override(b, member))
            return member;
    return NULL;
}

/* Must the group be held open, so that no virtual machine can take it while it is handed back? */
static bool wants_hold(const struct builder *b, uint32_t group)
{
    size_t i = groups_start(&b->groups, group);
    const struct device *d;

    while ((d = next_handed_back(b, group, &i)))
        if (device_can_be_kept(b->snapshot, d) && is_ours_now(b, d))
            return true;
    return false;
}

/* An IOMMU group is handed back as a whole, and held open until that is done. The override is
 * removed before the bind to the native driver, since the kernel would refuse that bind. */
static void add_hand_back(struct builder *b, const struct device *d)
{
    static const enum action_kind steps[] = {ACTION_CHECK, ACTION_UNBIND, ACTION_CLEAR,
                                             ACTION_NATIVE, ACTION_PROBE};
    const uint32_t group = d->group;
    size_t first = groups_start(&b->groups, group), i = first;

    if (only_loses_override(b, d)) {
        add_hand_back_step(b, ACTION_CLEAR, d);
        return;
    }
    if (!wants_hold(b, group)) { /* each device is a job by itself */
        for (size_t k = 0; k < ELEMENTS(steps); k++)
            add_hand_back_step(b, steps[k], d);
        return;
    }
    if (next_handed_back(b, group, &i) != d || group_is_in_flight(b, d))
        return; /* done together with the first of the group */
    plan_add_action(b, PHASE_RELEASE, ACTION_HOLD, d, "");
    for (size_t k = 0; k < ELEMENTS(steps); k++)
        for (i = first; (d = next_handed_back(b, group, &i));)
            add_hand_back_step(b, steps[k], d);
}

/* Must the device be offered to native drivers again? */
static bool is_offer_due(const struct builder *b, const struct device *d)
{
    const struct record *r = plan_record_of(b, d);
    const struct verdict *v = plan_verdict_of(b, d);

    if (!r || r->offer != OFFER_DUE || r->placeholder || r->error != 0 || record_is_in_hand(r))
        return false;
    return !d->driver && !record_may_be_overridden(r) && d->unknown.fact == FACT_NONE &&
           (!v || v->state == STATE_REFUSED || record_is_released(r));
}

/* -- taking -- */

static bool wants_bind(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = plan_record_of(b, d);

    return v->state == STATE_PENDING && v->reason != REASON_IOMMU_AWAITED &&
           !(r && (record_is_in_hand(r) || record_is_released(r) || record_is_waiting(r)));
}

/* If the driver link is right but probe() may not have returned yet, the device is bound again: the
 * kernel waits for the device's lock and returns EBUSY. */
static bool is_free_or_ours(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);

    return !d->driver || streq(d->driver, v->driver);
}

/* The device's verdict if it is to be rebound from another VFIO driver; otherwise NULL. */
static const struct verdict *vfio_rebind(const struct builder *b, const struct device *d)
{
    const struct verdict *v = plan_verdict_of(b, d);

    return v && driver_is_vfio(d->driver) && device_can_be_kept(b->snapshot, d) &&
                   wants_bind(b, v) && !is_free_or_ours(b, v)
               ? v
               : NULL;
}

/* The kernel accepts an override with a driver that is not registered yet. So a device without a
 * driver is reserved this way, and bound when the driver appears. A device that waits for its IOMMU
 * is reserved likewise. */
static bool wants_override(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = plan_record_of(b, d);

    if (r && (record_has_override(r, v->driver) || record_is_in_hand(r) || record_is_released(r) ||
              record_is_waiting(r)))
        return false;
    if (vfio_rebind(b, d))
        return false;
    if (v->reason == REASON_DRIVER_MISSING || v->reason == REASON_IOMMU_AWAITED)
        return !d->driver;
    return v->state == STATE_PENDING;
}

/* Was the device reserved for vfio-pci, but is now left to the host? Its IOMMU did not appear or
 * does not cover it, or a native driver was faster and, for example, shows the console on it now.
 * This does not hold if another device of its group is refused, since that may end as soon as the
 * other one can be read. */
static bool is_given_up(const struct device *d, const struct verdict *v, const struct record *r)
{
    if (v->reason == REASON_NO_IOMMU)
        return !d->driver;
    return v->state == STATE_REFUSED && v->reason != REASON_GROUP_MEMBER_REFUSED && d->driver &&
           !d->bridge && d->unknown.fact == FACT_NONE && !driver_is_vfio(d->driver) &&
           !streq(d->driver, v->driver) && !record_has_bound_to(r, d->driver);
}

/* Removes our override, which would keep the native driver away when it is loaded. */
static void add_surrender(struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = plan_record_of(b, d);

    if (!r || !is_given_up(d, v, r) || plan_vf_waits(b, d) || record_is_released(r) ||
        record_is_contested(r) || wants_hand_back(b, d) || !record_may_be_overridden(r) ||
        record_is_in_hand(r) || record_is_waiting(r) ||
        (r->error != 0 && r->failed_at == ACTION_CLEAR))
        return;
    plan_add_action(b, PHASE_RELEASE, ACTION_CLEAR, d, r->override_text ? r->override_text : "");
    if (!d->driver)
        plan_add_action(b, PHASE_RELEASE, ACTION_PROBE, d, "");
}

/* Is the device on its driver, and no worker busy with it? */
static bool is_settled(const struct verdict *v, const struct record *r)
{
    return v->state == STATE_BOUND && driver_is_vfio(v->driver) && r && !record_is_in_hand(r) &&
           !record_is_waiting(r);
}

/* Sets the reset methods of a bound device. The kernel uses them when its next user closes it. */
static void add_reset_method(struct builder *b, enum phase phase, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);

    if (driver_is_vfio(v->driver) && d->unknown.fact == FACT_NONE &&
        plan_is_reset_due(v, plan_record_of(b, d)))
        plan_add_action(b, phase, ACTION_RESET_METHOD, d, v->rule->reset_method);
}

/* The devices of an IOMMU group change from one VFIO driver to another together, while the group is
 * held open so that no virtual machine can take it. The override is written only then, so nothing
 * changes if a virtual machine has the group. */
static void add_group_rebind(struct builder *b, const struct device *d)
{
    const struct device *member;
    size_t first = groups_start(&b->groups, d->group), i = first;

    while ((member = plan_next_member(b, d->group, &i)) && member < d)
        if (vfio_rebind(b, member))
            return; /* done together with the first of them */
    plan_add_action(b, PHASE_REBIND, ACTION_HOLD, d, "");
    for (i = first; (member = plan_next_member(b, d->group, &i));) {
        const struct verdict *v = vfio_rebind(b, member);
        if (!v)
            continue;
        plan_add_action(b, PHASE_REBIND, ACTION_OVERRIDE, member, v->driver);
        plan_add_action(b, PHASE_REBIND, ACTION_UNBIND, member, member->driver);
        plan_add_action(b, PHASE_REBIND, ACTION_BIND, member, v->driver);
        add_reset_method(b, PHASE_REBIND, v);
    }
}

/* Tests whether the device still responds after its last user. Reading the configuration space of a
 * dead one may take a minute. */
static void add_tests(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct device *d = plan_device_of(b, &b->verdicts[i]);
        const struct record *r = plan_record_of(b, d);
        if (is_settled(&b->verdicts[i], r) && r->health == HEALTH_SUSPECT &&
            d->unknown.fact == FACT_NONE)
            plan_add_action(b, PHASE_REBIND, ACTION_TEST, d, "");
    }
}

static void add_reset_methods(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct verdict *v = &b->verdicts[i];
        if (is_settled(v, plan_record_of(b, plan_device_of(b, v))) ||
            (wants_bind(b, v) && is_free_or_ours(b, v)))
            add_reset_method(b, PHASE_BIND, v);
    }
}

void plan_add_actions(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_override(b, &b->verdicts[i]))
            plan_add_action(b, PHASE_OVERRIDE, ACTION_OVERRIDE, plan_device_of(b, &b->verdicts[i]),
                            b->verdicts[i].driver);
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_bind(b, &b->verdicts[i]) && is_free_or_ours(b, &b->verdicts[i]))
            plan_add_action(b, PHASE_BIND, ACTION_BIND, plan_device_of(b, &b->verdicts[i]),
                            b->verdicts[i].driver);
    add_reset_methods(b);
    plan_add_dynids(b);
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct device *d = plan_device_of(b, &b->verdicts[i]);
        if (!wants_bind(b, &b->verdicts[i]) || is_free_or_ours(b, &b->verdicts[i]))
            continue;
        if (vfio_rebind(b, d)) { /* a virtual machine may be using it */
            add_group_rebind(b, d);
            continue;
        }
        if (!b->verdicts[i].rule->force)
            plan_add_action(b, PHASE_REBIND, ACTION_CHECK, d, "");
        plan_add_action(b, PHASE_REBIND, ACTION_UNBIND, d, d->driver);
        plan_add_action(b, PHASE_REBIND, ACTION_BIND, d, b->verdicts[i].driver);
        add_reset_method(b, PHASE_REBIND, &b->verdicts[i]);
    }
    add_tests(b);
    plan_add_vfs(b);
    for (size_t i = 0; i < b->n_verdicts; i++)
        add_surrender(b, &b->verdicts[i]);
    for (size_t i = 0; i < b->snapshot->n; i++)
        if (wants_hand_back(b, &b->snapshot->devices[i]))
            add_hand_back(b, &b->snapshot->devices[i]);
        else if (is_offer_due(b, &b->snapshot->devices[i]))
            plan_add_action(b, PHASE_RELEASE, ACTION_OFFER, &b->snapshot->devices[i], "");
}
