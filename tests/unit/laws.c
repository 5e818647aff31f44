/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "laws.h"

#include <stdarg.h>

#include "base/util.h"
#include "model/kinds.h"

struct laws {
    const struct policy *policy;
    const struct snapshot *snapshot;
    const struct records *records;
    const struct plan *plan;
    char *why;
};

PRINTF(3, 4)
static bool broken(const struct laws *l, struct pci_addr a, const char *format, ...)
{
    va_list args;
    int n = snprintf(l->why, 256, "%s ", pci_addr_text(a).s);

    va_start(args, format);
    vsnprintf(l->why + n, 256 - (size_t)n, format, args);
    va_end(args);
    return false;
}

static const struct record *record_of(const struct laws *l, const struct device *d)
{
    static const struct record nothing;
    const struct record *r = records_find(l->records, d->addr);

    return r ? r : &nothing;
}

static const struct device *device_of(const struct laws *l, const struct verdict *v)
{
    return snapshot_find(l->snapshot, v->addr);
}

static const struct rule *rule_of(const struct laws *l, const struct device *d)
{
    return d->detailed && !policy_is_undecided(l->policy, d) ? policy_match(l->policy, d) : NULL;
}

static bool same_group(const struct device *x, const struct device *y)
{
    return x == y || (x->group != NO_GROUP && x->group == y->group);
}

/* No disk, network card or console can be below these. */
static bool is_risky(const struct device *d)
{
    unsigned base = d->class_code >> 16, class = d->class_code >> 8;

    return base != 0x03 && base != 0x04 && base != 0x12 && class != 0x0b40 &&
           !(class == 0x0680 && d->vendor == 0x10de);
}

static bool is_of_display(const struct device *d, const struct device *leader)
{
    unsigned class = d->class_code >> 8;

    return leader != d && (class == 0x0c03 || class == 0x0c80) && leader->addr.fn == 0 &&
           leader->class_code >> 16 == 0x03 && pci_addr_same_slot(d->addr, leader->addr);
}

/* May it be taken along with another function of its card? */
static bool is_harmless(const struct device *d, const struct device *leader)
{
    return !is_risky(d) || is_of_display(d, leader);
}

/* -- verdicts: exactly one for each device that a rule names -- */

/* A native rule for one function may keep the others of its card. */
static bool may_be_kept(const struct laws *l, const struct device *d)
{
    for (size_t i = 0; i < l->snapshot->n; i++) {
        const struct device *other = &l->snapshot->devices[i];
        const struct rule *r = rule_of(l, other);
        if (r && rule_is_native(r) && (!rule_of(l, d) || r < rule_of(l, d)) && !d->vf &&
            r->group != GROUP_MATCHED && pci_addr_same_slot(d->addr, other->addr))
            return true;
    }
    return false;
}

static bool follower_is_sound(const struct laws *l, const struct verdict *v)
{
    const struct device *d = device_of(l, v);
    const struct device *leader = snapshot_find(l->snapshot, v->leader);
    const struct verdict *first = plan_find(l->plan, v->leader);

    if (rule_of(l, d))
        return broken(l, d->addr, "comes along although a rule names it");
    if (!leader || !first || first->comes_along || first->rule != v->rule)
        return broken(l, d->addr, "comes along with a device that its rule does not name");
    if (v->rule->group == GROUP_MATCHED)
        return broken(l, d->addr, "comes along with group = matched");
    if (device_is_bridge(d) || (d->vf && v->rule->group != GROUP_ALL))
        return broken(l, d->addr, "is a bridge or virtual function and comes along");
    if (v->rule->group != GROUP_ALL && !is_harmless(d, leader))
        return broken(l, d->addr, "comes along, the host may live on it, and nobody named it");
    if (!pci_addr_same_slot(d->addr, leader->addr) &&
        !(v->rule->group == GROUP_ALL && same_group(d, leader)))
        return broken(l, d->addr, "comes along with a device that is not near");
    return true;
}

static bool named_have_verdicts(const struct laws *l)
{
    for (size_t i = 0; i < l->snapshot->n; i++) {
        const struct device *d = &l->snapshot->devices[i];
        const struct rule *rule = rule_of(l, d);
        const struct verdict *v = plan_find(l->plan, d->addr);

        if (rule && !rule_is_native(rule) && !v && !may_be_kept(l, d))
            return broken(l, d->addr, "is named by %s and has no verdict", rule->name);
        if (v && rule && rule_is_native(rule))
            return broken(l, d->addr, "has a verdict, but %s leaves it alone", rule->name);
        if (v && !v->comes_along && v->rule != rule)
            return broken(l, d->addr, "has the verdict of another rule");
    }
    return true;
}

/* A group is handed back whole: one member that hangs keeps the others waiting. */
static bool waits_for_group(const struct laws *l, const struct device *d)
{
    if (!record_is_released(record_of(l, d)))
        return false;
    for (size_t i = 0; i < l->snapshot->n; i++)
        if (same_group(d, &l->snapshot->devices[i]) &&
            record_is_stuck(record_of(l, &l->snapshot->devices[i])))
            return true;
    return false;
}

/* As the kernel sees it since 5.19: bridges and the chipset count. */
static bool blocks_group(const struct device *d)
{
    return d->driver && !strstr(d->driver, "vfio") && !streq(d->driver, "pci-stub") &&
           !streq(d->driver, "pcieport");
}

/* May vfio-pci have taken it by a dynamic ID when it was plugged in? Then its own rule may refuse
 * it all the same. */
static bool may_be_caught(const struct laws *l, const struct device *d)
{
    const struct record *r = record_of(l, d);

    return r->fresh && !record_may_be_overridden(r) && streq_null(d->driver, "vfio-pci") &&
           (record_is_bound_by_us(r) || dynids_has(&l->records->dynids, d));
}

static bool verdict_is_sound(const struct laws *l, const struct verdict *v)
{
    const struct device *d = device_of(l, v);
    const struct record *r = record_of(l, d);
    bool ours = streq_null(d->driver, v->driver);

    if (!d->detailed || !v->driver || v->state >= STATE_MAX || v->reason >= REASON_MAX)
        return broken(l, d->addr, "has a verdict that makes no sense");
    if (v->state == STATE_BOUND &&
        (!ours || !record_is_confirmed(r) || record_is_released(r) || record_is_in_hand(r)))
        return broken(l, d->addr, "is not bound, but said to be");
    if ((v->state == STATE_STUCK) !=
            (record_is_stuck(r) && record_is_in_hand(r) && !device_is_bridge(d)) &&
        !waits_for_group(l, d))
        return broken(l, d->addr, "is stuck and not said to be, or the other way round");
    if (ours && (v->state == STATE_REFUSED || v->state == STATE_BUSY) && !record_is_released(r) &&
        !d->bridge && v->reason != REASON_UNREADABLE && !may_be_caught(l, d) &&
        !record_is_going_back(r))
        return broken(l, d->addr, "is on its driver, and refused");
    if (v->state == STATE_RELEASED && (!record_is_released(r) || ours))
        return broken(l, d->addr, "is not released, but said to be");
    if (!v->usable)
        return true;
    if (v->state != STATE_BOUND || d->group == NO_GROUP || !driver_is_vfio(d->driver) ||
        (!d->node && !(d->cdev && l->snapshot->iommufd)))
        return broken(l, d->addr, "is not usable, but said to be");
    if ((v->rule->interface == INTERFACE_GROUP && !d->node) ||
        (v->rule->interface == INTERFACE_IOMMUFD && !d->cdev))
        return broken(l, d->addr, "is said to be usable, but not as its rule wants");
    for (size_t i = 0; i < l->snapshot->n; i++)
        if (same_group(d, &l->snapshot->devices[i]) && blocks_group(&l->snapshot->devices[i]))
            return broken(l, d->addr, "is said to be usable, its group is not viable");
    return true;
}

static bool verdicts_are_sound(const struct laws *l)
{
    for (size_t i = 0; i < l->plan->n_verdicts; i++) {
        const struct verdict *v = &l->plan->verdicts[i];
        if (!device_of(l, v) || (i > 0 && pci_addr_cmp(v[-1].addr, v->addr) >= 0))
            return broken(l, (struct pci_addr){0}, "verdicts are not in the order of devices");
        if (!verdict_is_sound(l, v) || (v->comes_along && !follower_is_sound(l, v)))
            return false;
    }
    return named_have_verdicts(l);
}

/* -- protection -- */

/* Would no entry take it, of those that are there and those to come? */
static bool fits_nothing(const struct laws *l, const struct device *d)
{
    for (size_t i = 0; i < l->plan->n_actions; i++)
        if (l->plan->actions[i].kind == ACTION_NEW_ID && dynid_fits(l->plan->actions[i].dynid, d))
            return false;
    return !dynids_has(&l->records->dynids, d);
}

/* Must a function of its card and group that nobody named be taken along? */
static bool takes_the_unnamed(const struct laws *l, const struct verdict *v)
{
    const struct device *d = device_of(l, v);

    for (size_t i = 0;
         v->rule->group == GROUP_FUNCTIONS && !v->comes_along && !d->vf && i < l->snapshot->n;
         i++) {
        const struct device *other = &l->snapshot->devices[i];
        if (other != d && pci_addr_same_slot(d->addr, other->addr) && same_group(d, other) &&
            !other->vf && !device_is_bridge(other) && !is_harmless(other, d) &&
            !rule_of(l, other) && !plan_find(l->plan, other->addr) && !may_be_kept(l, other))
            return true;
    }
    return false;
}

/* Who was given a driver by us is not used by the host. */
static bool is_on_ours(const struct device *d, const struct record *r)
{
    if (driver_is_vfio(d->driver))
        return record_may_be_overridden(r) || record_is_bound_by_us(r);
    return d->driver && record_may_be_overridden(r) &&
           (r->binding == BINDING_OURS || streq_null(r->override_text, d->driver));
}

/* Have we made it, as a virtual function? Then nobody has used it while it had no driver. */
static bool is_our_vf(const struct laws *l, const struct device *d)
{
    const struct device *pf = d->vf ? snapshot_find(l->snapshot, d->pf) : NULL;

    return pf && record_of(l, pf)->vfs.made > 0;
}

/* Why the host must keep the device; NULL: it need not. */
static const char *protection(const struct laws *l, const struct verdict *v)
{
    const struct device *d = device_of(l, v);
    const struct device *named = v->comes_along ? snapshot_find(l->snapshot, v->leader) : d;
    const struct record *r = record_of(l, d);
    bool to_move = record_is_released(r) || !streq_null(d->driver, v->driver);

    if (to_move && d->unknown.fact != FACT_NONE)
        return "could not be read";
    if (to_move && d->has_vfs && (!record_is_released(r) || streq_null(d->driver, v->driver)))
        return "has virtual functions";
    if (to_move && driver_is_vfio(d->driver) && !device_can_be_kept(l->snapshot, d) &&
        (!record_is_released(r) || streq_null(d->driver, v->driver)))
        return "may be held by a virtual machine";
    if (!to_move || record_is_released(r))
        return NULL;
    if (d->fixed)
        return "is on a driver that cannot be unbound";
    if (record_is_plugged(r) && v->rule->hotplug == HOTPLUG_OFF && !is_our_vf(l, d))
        return "is not to be taken when plugged in";
    if (takes_the_unnamed(l, v))
        return "must not be taken without another port";
    if (v->rule->force)
        return NULL;
    if (d->boot_display && d->driver && !driver_is_vfio(d->driver))
        return "is the boot display";
    if (d->use)
        return d->use;
    if (d->evidence && !record_is_unused(r))
        return d->evidence;
    if (is_our_vf(l, d) && !d->driver)
        return NULL;
    if (is_risky(d) && !(v->comes_along && is_harmless(d, named)) && !record_is_unused(r) &&
        (l->snapshot->cold_boot || (d->driver && !is_on_ours(d, r)) || record_stays_refused(r)) &&
        !rule_names_device(v->rule, named))
        return "may be what the host lives on";
    return NULL;
}

static bool may_be_offered(const struct laws *l, const struct device *d, const struct record *r)
{
    const struct verdict *v = d ? plan_find(l->plan, d->addr) : NULL;

    return d && !d->driver && r && r->offer == OFFER_DUE && !record_is_in_hand(r) &&
           (!v || v->state == STATE_REFUSED || record_is_released(r));
}

/* A device that no rule names is touched only to keep dynamic IDs from it, or to hand it back. */
static bool unnamed_may_be_acted_on(const struct laws *l, const struct action *a)
{
    const struct device *d = snapshot_find(l->snapshot, a->addr);
    const struct record *r = d ? record_of(l, d) : NULL;

    if (a->kind == ACTION_CLEAR_PLACEHOLDER && r && r->placeholder && !record_is_in_hand(r))
        return true;
    if (a->kind == ACTION_OFFER)
        return may_be_offered(l, d, r) || broken(l, a->addr, "is offered for no reason");
    if (!d || d->bridge || record_is_in_hand(r))
        return broken(l, a->addr, "%s of what is no business of ours", action_word(a->kind));
    if (a->kind == ACTION_SET_PLACEHOLDER || a->kind == ACTION_CLEAR_PLACEHOLDER)
        return (!d->driver && !fits_nothing(l, d)) || r->placeholder ||
               broken(l, a->addr, "has a placeholder for no reason");
    if (a->kind == ACTION_CLEAR || (a->phase == PHASE_RELEASE && !d->driver))
        return record_may_be_overridden(r) || record_is_released(r) || record_is_going_back(r) ||
               broken(l, a->addr, "has no override of ours");
    if (a->phase == PHASE_RELEASE && !d->has_vfs && !d->use && d->driver &&
        !driver_is_vfio(d->driver) && r->override != OVERRIDE_NOT_OURS &&
        (streq_null(r->override_text, d->driver) ||
         record_is_bound_by_us(r))) /* it has the driver that a rule wanted */
        return true;
    if (a->phase != PHASE_RELEASE || !driver_is_vfio(d->driver) || d->has_vfs ||
        !device_can_be_kept(l->snapshot, d))
        return broken(l, a->addr, "has no rule, yet: %s", action_word(a->kind));
    return record_is_owned(r) || (r->fresh && dynids_has(&l->records->dynids, d)) ||
           broken(l, a->addr, "is handed back and was never ours");
}

/* Might a rule take a virtual function of this device from its native driver? */
static bool takes_vfs_of(const struct laws *l, const struct device *pf)
{
    const struct device vf = {.addr = {0xffff, 0xff, 0x1f, 7},
                              .vendor = pf->vendor,
                              .device = 0x101e,
                              .class_code = pf->class_code,
                              .vf = true,
                              .pf = pf->addr,
                              .pf_slot = pf->slot};

    for (size_t i = 0; i < l->policy->n_rules; i++) {
        const struct rule *r = &l->policy->rules[i];
        const int key = rule_test(r, &vf);
        if (!rule_is_native(r) && (key < 0 || key == KEY_VF_INDEX))
            return true;
    }
    return false;
}

/* Virtual functions are made only where a rule says so and the native driver is there, and only
 * ours are taken away, which nobody uses. */
static bool vfs_action_is_sound(const struct laws *l, const struct action *a)
{
    const struct device *d = snapshot_find(l->snapshot, a->addr);
    const struct rule *rule = d ? rule_of(l, d) : NULL;
    const struct record *r = d ? record_of(l, d) : NULL;

    if (!d || record_is_in_hand(r) || d->unknown.fact != FACT_NONE || d->vf)
        return broken(l, a->addr, "%s of what is not there, or in hand", action_word(a->kind));
    if (a->kind == ACTION_RESTORE_AUTOPROBE)
        return (r->vfs.autoprobe_off && d->autoprobe_off) ||
               broken(l, a->addr, "has its autoprobe restored, which we did not turn off");
    if (a->vfs > 0 && (!rule || rule->vfs != (int)a->vfs || a->vfs > d->vfs_max || !d->driver ||
                       driver_is_vfio(d->driver) || r->vfs.released))
        return broken(l, a->addr, "gets %u virtual functions without a reason", a->vfs);
    if (d->n_vfs > 0 && (d->n_vfs > r->vfs.made || d->n_vfs == a->vfs))
        return broken(l, a->addr, "loses virtual functions that are not ours");
    if (a->vfs > 0 && takes_vfs_of(l, d) && !a->sets_autoprobe && !d->autoprobe_off)
        return broken(l, a->addr, "makes virtual functions that a native driver gets first");
    for (size_t i = 0; i < l->snapshot->n; i++) {
        const struct device *vf = &l->snapshot->devices[i];
        if (vf->vf && pci_addr_cmp(vf->pf, a->addr) == 0 &&
            (vf->use || record_is_in_hand(record_of(l, vf))))
            return broken(l, a->addr, "loses a virtual function that is in use");
        for (size_t k = 0; vf->vf && k < l->plan->n_actions; k++)
            if (pci_addr_cmp(vf->pf, a->addr) == 0 && !action_is_dynid(l->plan->actions[k].kind) &&
                pci_addr_cmp(l->plan->actions[k].addr, vf->addr) == 0)
                return broken(l, vf->addr, "is worked on and taken away");
    }
    return true;
}

/* Neither is a member of its group. */
static bool may_be_acted_on(const struct laws *l, const struct action *a)
{
    const struct verdict *v = plan_find(l->plan, a->addr);
    const struct device *d = v ? device_of(l, v) : NULL;

    if (action_is_dynid(a->kind))
        return true;
    if (a->phase == PHASE_VFS)
        return vfs_action_is_sound(l, a);
    const struct device *there = snapshot_find(l->snapshot, a->addr);
    if (there && there->unknown.fact != FACT_NONE)
        return broken(l, a->addr, "could not be read, yet: %s", action_word(a->kind));
    if (!v)
        return unnamed_may_be_acted_on(l, a);
    if (a->kind == ACTION_SET_PLACEHOLDER || a->kind == ACTION_CLEAR_PLACEHOLDER)
        return !record_is_in_hand(record_of(l, d)) ||
               broken(l, a->addr, "is in flight and has a placeholder");
    if ((device_is_bridge(d) && (d->bridge || a->phase != PHASE_RELEASE)) ||
        record_is_in_hand(record_of(l, d)))
        return broken(l, a->addr, "is a bridge or in flight, yet: %s", action_word(a->kind));
    if (record_is_contested(record_of(l, d)) && !record_is_released(record_of(l, d)))
        return broken(l, a->addr, "is contested, yet: %s", action_word(a->kind));
    if (a->phase == PHASE_RELEASE && v->state == STATE_REFUSED && !driver_is_vfio(d->driver) &&
        (a->kind == ACTION_CLEAR || (a->kind == ACTION_PROBE && !d->driver)))
        return record_may_be_overridden(record_of(l, d)) || record_is_going_back(record_of(l, d)) ||
               broken(l, a->addr, "loses an override that is not ours");
    if (a->kind == ACTION_OFFER)
        return may_be_offered(l, d, record_of(l, d)) ||
               broken(l, a->addr, "is offered for no reason");
    if (a->phase == PHASE_RELEASE && v->state == STATE_REFUSED)
        return may_be_caught(l, d) || record_is_going_back(record_of(l, d)) ||
               (record_is_owned(record_of(l, d)) && !streq_null(d->driver, v->driver)) ||
               broken(l, a->addr, "is handed back and was not caught");
    if (streq_null(d->driver, v->driver) != record_is_released(record_of(l, d)))
        return true; /* is where it is to be: a bind waits for probe(), an override goes */
    for (size_t i = 0; i < l->plan->n_verdicts; i++) {
        const struct verdict *other = &l->plan->verdicts[i];
        if (!same_group(d, device_of(l, other)))
            continue;
        if (!device_is_bridge(device_of(l, other)) &&
            !record_is_in_hand(record_of(l, device_of(l, other))) &&
            !(record_is_contested(record_of(l, device_of(l, other))) &&
              !record_is_released(record_of(l, device_of(l, other)))) &&
            protection(l, other))
            return broken(l, a->addr, "%s, yet %s %s", action_word(a->kind),
                          pci_addr_text(device_of(l, other)->addr).s, protection(l, other));
    }
    return true;
}

/* -- actions and their order -- */

static const struct action *earlier(const struct laws *l, const struct action *a,
                                    enum action_kind kind)
{
    for (const struct action *e = l->plan->actions; e < a; e++)
        if (e->kind == kind && !action_is_dynid(kind) && pci_addr_cmp(e->addr, a->addr) == 0)
            return e;
    return NULL;
}

/* In the job that this action belongs to. */
static bool group_is_held(const struct laws *l, const struct action *a)
{
    for (const struct action *e = a; e >= l->plan->actions && e->group == a->group; e--)
        if (e->phase == a->phase && e->kind == ACTION_HOLD)
            return true;
    return false;
}

static bool action_is_sound(const struct laws *l, const struct action *a)
{
    const struct device *d = snapshot_find(l->snapshot, a->addr);
    const struct record *r = d ? record_of(l, d) : NULL;
    const struct verdict *v = plan_find(l->plan, a->addr);

    if (action_is_dynid(a->kind))
        return true;
    if (!d || a->group != d->group)
        return broken(l, a->addr, "has an action and is not there, or in another group");
    if (earlier(l, a, a->kind))
        return broken(l, a->addr, "%s twice", action_word(a->kind));
    switch (a->kind) {
    case ACTION_OVERRIDE:
        return !record_is_released(r) || broken(l, a->addr, "is released and reserved again");
    case ACTION_UNBIND:
        if (!streq_null(d->driver, a->driver))
            return broken(l, a->addr, "is not on %s", a->driver);
        if (!(v && !record_is_released(r) && v->rule->force) && !driver_is_vfio(d->driver) &&
            !earlier(l, a, ACTION_CHECK))
            return broken(l, a->addr, "is unbound before anybody looked for its users");
        if (v && record_is_released(r) && !streq(a->driver, v->driver))
            return broken(l, a->addr, "is released, and unbound from %s", a->driver);
        if (a->phase == PHASE_RELEASE && driver_is_vfio(d->driver) && !record_is_released(r) &&
            !record_may_be_overridden(r) && !earlier(l, a, ACTION_CHECK))
            return broken(l, a->addr, "is unbound and may be somebody else's");
        return !driver_is_vfio(d->driver) || d->group == NO_GROUP || group_is_held(l, a) ||
               broken(l, a->addr, "is unbound from %s without its group", d->driver);
    case ACTION_BIND:
        if (record_is_released(r))
            return broken(l, a->addr, "is released and bound again");
        if (d->driver && !streq(d->driver, a->driver) && !earlier(l, a, ACTION_UNBIND))
            return broken(l, a->addr, "is bound over %s", d->driver);
        return record_is_overridden(r) || earlier(l, a, ACTION_OVERRIDE) ||
               broken(l, a->addr, "is bound without an override");
    case ACTION_PROBE:
        return earlier(l, a, ACTION_CLEAR) || !record_may_be_overridden(r) ||
               broken(l, a->addr, "is probed with its override");
    case ACTION_NATIVE:
        return earlier(l, a, ACTION_CLEAR) || !record_may_be_overridden(r) ||
               broken(l, a->addr, "goes to its native driver with its override");
    default:
        return true;
    }
}

/* What may block is a job of its own, and jobs run side by side: a device's actions stand together,
 * or are those of a group that is held. */
static bool is_in_one_job(const struct laws *l, const struct action *a)
{
    const struct action *e = a;

    if (a->phase < PHASE_REBIND || group_is_held(l, a))
        return true;
    while (e > l->plan->actions && e[-1].phase == a->phase &&
           pci_addr_cmp(e[-1].addr, a->addr) == 0)
        e--;
    while (e > l->plan->actions)
        if (--e, e->phase == a->phase && pci_addr_cmp(e->addr, a->addr) == 0)
            return broken(l, a->addr, "%s is torn from what comes before it", action_word(a->kind));
    return true;
}

static bool is_released_whole(const struct laws *l, const struct action *a)
{
    const struct verdict *v = action_is_dynid(a->kind) ? NULL : plan_find(l->plan, a->addr);

    for (size_t i = 0; v && a->phase == PHASE_RELEASE && i < l->plan->n_verdicts; i++) {
        const struct verdict *other = &l->plan->verdicts[i];
        const struct device *d = device_of(l, other);
        if (same_group(device_of(l, v), d) && record_is_released(record_of(l, d)) &&
            !device_is_bridge(d) && streq_null(d->driver, other->driver) &&
            other->state != STATE_PENDING && other->state != STATE_FAILED &&
            other->state != STATE_STUCK)
            return broken(l, a->addr, "is handed back without %s of its group",
                          pci_addr_text(d->addr).s);
    }
    return true;
}

static bool actions_are_sound(const struct laws *l)
{
    for (size_t i = 0; i < l->plan->n_actions; i++) {
        const struct action *a = &l->plan->actions[i];
        if (i > 0 && a[-1].phase > a->phase)
            return broken(l, a->addr, "%s comes too late", action_word(a->kind));
        if (!may_be_acted_on(l, a) || !action_is_sound(l, a) || !is_released_whole(l, a) ||
            !is_in_one_job(l, a))
            return false;
    }
    return true;
}

bool laws_hold(const struct policy *p, const struct snapshot *s, const struct records *r,
               const struct plan *plan, char why[static 256])
{
    const struct laws l = {p, s, r, plan, why};

    return verdicts_are_sound(&l) && actions_are_sound(&l);
}
