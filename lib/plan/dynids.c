/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which dynamic IDs are needed, and how they get into the kernel's table without catching
 * an unselected device. */
#include "plan/dynids.h"

#include <assert.h>

#include "base/util.h"
#include "model/kinds.h"
#include "plan/rule-ids.h"

static const struct dynids *dynids_of(const struct builder *b)
{
    return &b->records->dynids;
}

bool plan_is_caught(const struct builder *b, const struct device *d)
{
    const struct record *r = plan_record_of(b, d);

    return r && r->fresh && !record_may_be_overridden(r) && streq_null(d->driver, DYNID_DRIVER) &&
           (record_is_bound_by_us(r) || dynids_has(dynids_of(b), d));
}

static bool rule_prevents(const struct rule *r)
{
    return r->hotplug == HOTPLUG_PREVENT && !rule_is_native(r) &&
           streq(rule_target(r), DYNID_DRIVER);
}

/* -- which entries -- */

static void want(struct builder *b, const struct dynid *id, bool learned, bool narrowed)
{
    struct dynid_entry *e = dynids_find(&b->wanted, id);

    if (e)
        e->narrowed = e->narrowed && narrowed;
    else if (b->wanted.n < DYNIDS_MAX && (e = dynids_get(&b->wanted, id)))
        *e = (struct dynid_entry){.id = *id, .learned = learned, .narrowed = narrowed};
}

static bool is_refused_as_use_unknown(const struct verdict *v)
{
    return v->state == STATE_REFUSED && v->reason == REASON_HOST_USE_UNKNOWN;
}

/* For a device that was refused and is now unplugged: does the entry match it, and would the device
 * be refused again if it came back? */
static bool endangers_absent(const struct builder *b, const struct record *r,
                             const struct dynid *id)
{
    const struct device d = record_past_device(r);
    const struct rule *rule;

    if (!dynid_fits(id, &d) || !device_may_carry_host(&d) || snapshot_find(b->snapshot, r->addr))
        return false;
    rule = policy_match(b->policy, &d);
    return rule && !rule_is_native(rule) && !rule->force && !rule_vouches_for(rule, &d);
}

/* Does the entry match a device that is left to the host because the host may depend on it?
 * vfio-pci could get such a device when it loses its driver for a moment, or when it is plugged in
 * again. Such an entry is written only if the rule asks for it (hotplug = prevent). */
static bool endangers_host(const struct builder *b, const struct dynid *id)
{
    for (size_t i = 0; b->any_use_unknown && i < b->n_verdicts; i++)
        if (is_refused_as_use_unknown(&b->verdicts[i]) &&
            dynid_fits(id, plan_device_of(b, &b->verdicts[i])))
            return true;
    for (size_t i = 0; b->any_refusal && i < b->records->n; i++)
        if (b->records->v[i].past.refused && endangers_absent(b, &b->records->v[i], id))
            return true;
    return false;
}

/* May an earlier rule without dynamic IDs match devices of this one? */
static bool is_carved(struct builder *b, const struct rule *r)
{
    const struct policy *p = b->policy;

    for (size_t i = 0; !b->not_preventing_known && i < p->n_rules && !b->not_preventing; i++)
        if (!rule_prevents(&p->rules[i]))
            b->not_preventing = &p->rules[i];
    b->not_preventing_known = true;
    return b->not_preventing && b->not_preventing < r;
}

static void want_rule(struct builder *b, const struct rule *r)
{
    struct dynid ids[DYNIDS_MAX];
    bool narrowed;
    size_t n = dynids_of_rule(r, ids, ELEMENTS(ids), &narrowed);

    narrowed = narrowed || is_carved(b, r);
    for (size_t i = 0; i < n; i++)
        if (r->keys[KEY_HOTPLUG].line > 0 || !endangers_host(b, &ids[i]))
            want(b, &ids[i], false, narrowed);
}

/* Adds the exact ID of a companion function, like the audio function of a GPU, unless the host may
 * depend on devices with this ID. */
static void want_function(struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct dynid id = {
        .vendor = d->vendor, .device = d->device, .subvendor = DYNID_ANY, .subdevice = DYNID_ANY};

    struct dynid unused;
    bool narrowed;

    if (!v->comes_along || !rule_prevents(v->rule) || d->vf || device_may_carry_host(d) ||
        device_is_bridge(d))
        return;
    (void)dynids_of_rule(v->rule, &unused, 1, &narrowed);
    want(b, &id, true, narrowed || v->rule->n_ids == 0 || is_carved(b, v->rule));
}

static void want_entries(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++)
        b->any_use_unknown = b->any_use_unknown || is_refused_as_use_unknown(&b->verdicts[i]);
    for (size_t i = 0; i < b->records->n; i++)
        b->any_refusal = b->any_refusal || b->records->v[i].past.refused;
    for (size_t i = 0; i < b->policy->n_rules; i++)
        if (rule_prevents(&b->policy->rules[i]))
            want_rule(b, &b->policy->rules[i]);
    for (size_t i = 0; i < b->n_verdicts; i++)
        want_function(b, &b->verdicts[i]);
    /* IDs learned from cards that are gone now. */
    for (size_t i = 0; i < dynids_of(b)->n; i++)
        if (dynids_of(b)->v[i].learned)
            want(b, &dynids_of(b)->v[i].id, true, dynids_of(b)->v[i].narrowed);
}

/* -- into the table, and out of it -- */

static void add_dynid_action(struct builder *b, enum action_kind kind, const struct dynid *id)
{
    const struct dynid_entry *e = dynids_find(&b->wanted, id);

    assert(b->n_dynids < b->dynids_max);
    struct dynid *own = &b->dynids[b->n_dynids++];
    *own = *id;
    *plan_new_action(b) = (struct action){.phase = PHASE_DYNIDS,
                                          .kind = kind,
                                          .driver = DYNID_DRIVER,
                                          .dynid = own,
                                          .learned = e && e->learned,
                                          .narrowed = e && e->narrowed};
}

/* An entry whose recorded properties are wrong is written again: narrowed entries are removed when
 * the daemon stops. */
static bool is_unwanted(const void *builder, const struct dynid_entry *e)
{
    const struct builder *b = builder;
    const struct dynid_entry *wanted = dynids_find(&b->wanted, &e->id);

    return !wanted || wanted->narrowed != e->narrowed;
}

/* Does this plan remove the entry, possibly to write it again? */
static bool is_removed(const struct builder *b, const struct dynid_entry *e)
{
    for (size_t i = 0; i < b->n_removals; i++)
        if (b->removals[i] == e)
            return true;
    return false;
}

static void add_removals(struct builder *b)
{
    b->n_removals = dynids_removals(dynids_of(b), is_unwanted, b, b->removals);
    for (size_t i = 0; i < b->n_removals; i++)
        add_dynid_action(b, ACTION_REMOVE_ID, &b->removals[i]->id);
}

static bool is_missing(const struct builder *b, const struct dynid_entry *wanted)
{
    const struct dynid_entry *e = dynids_find(dynids_of(b), &wanted->id);

    return !e || (e->error == 0 && (e->state == DYNID_OPEN || is_removed(b, e)));
}

/* Will any entry match the device once the wanted ones are written? */
static bool fits_wanted(const struct builder *b, const struct device *d)
{
    struct dynids_walk walk = {0};
    const struct dynid_entry *wanted;

    if (device_is_refused_by_vfio(d))
        return false;
    while ((wanted = dynids_next(&b->wanted, d, &walk))) {
        const struct dynid_entry *e = dynids_find(dynids_of(b), &wanted->id);
        if (!(e && e->error))
            return true;
    }
    return false;
}

/* May the device have neither driver nor override for a moment? This is so while a worker hands it
 * back to its native driver, and while it waits for its override. */
static bool is_in_between(const struct builder *b, const struct device *d)
{
    const struct record *r = plan_record_of(b, d);

    return r && !record_is_overridden(r) &&
           ((record_is_waiting(r) && !d->driver) || (record_is_in_hand(r) && !record_is_stuck(r)));
}

/* Would writing the new entries give vfio-pci this device by mistake? At each write the kernel
 * offers all devices without a driver to vfio-pci, and considers all entries of the table. */
static bool needs_placeholder(const struct builder *b, size_t i)
{
    const struct device *d = &b->snapshot->devices[i];
    const struct verdict *v = plan_verdict_of(b, d);
    const struct record *r = plan_record_of(b, d);

    if (d->driver || device_is_refused_by_vfio(d) || (r && record_is_in_hand(r)) ||
        d->unknown.fact != FACT_NONE)
        return false;
    if (v && v->state == STATE_PENDING && !(r && record_is_released(r)))
        return false; /* it is to be bound, and its override is written first */
    return dynids_has(dynids_of(b), d) || fits_wanted(b, d);
}

static void add_device_action(struct builder *b, enum action_kind kind, const struct device *d)
{
    *plan_new_action(b) = (struct action){
        .phase = PHASE_DYNIDS, .kind = kind, .addr = d->addr, .driver = "", .group = d->group};
}

/* For a device that could not be read: may it be without a driver, so that a new entry would catch
 * it? */
static bool may_be_caught_unread(const struct builder *b, const struct device *d)
{
    return d->unknown.fact != FACT_NONE &&
           (d->unidentified || fits_wanted(b, d)); /* unwanted entries are removed first */
}

static bool can_add_entries(const struct builder *b)
{
    bool any = false;

    if (b->snapshot->unknown.fact != FACT_NONE)
        return false;

    for (size_t k = 0; k < b->wanted.n && !any; k++)
        any = is_missing(b, &b->wanted.v[k]);
    for (size_t i = 0; i < b->snapshot->n && any; i++)
        any = !may_be_caught_unread(b, &b->snapshot->devices[i]) &&
              (!is_in_between(b, &b->snapshot->devices[i]) ||
               !fits_wanted(b, &b->snapshot->devices[i]));
    return any;
}

static void add_new_entries(struct builder *b)
{
    for (size_t i = 0; i < b->snapshot->n; i++)
        if (needs_placeholder(b, i))
            add_device_action(b, ACTION_SET_PLACEHOLDER, &b->snapshot->devices[i]);
    for (size_t k = 0; k < b->wanted.n; k++)
        if (is_missing(b, &b->wanted.v[k]))
            add_dynid_action(b, ACTION_NEW_ID, &b->wanted.v[k].id);
}

/* Removes the placeholders that this plan sets (its actions from index `first` on), and those that
 * an interrupted run left behind. Both lists are sorted by address. */
static void add_clearing(struct builder *b, size_t first)
{
    const size_t end = b->n_actions;

    for (size_t i = 0; i < b->snapshot->n; i++) {
        const struct device *d = &b->snapshot->devices[i];
        const struct record *r = plan_record_of(b, d);
        bool left_over = r && r->placeholder && !record_is_in_hand(r) && r->error == 0;
        bool now = first < end && b->actions[first].kind == ACTION_SET_PLACEHOLDER &&
                   pci_addr_cmp(b->actions[first].addr, d->addr) == 0;
        first += now;
        if ((left_over || now) && d->unknown.fact == FACT_NONE)
            add_device_action(b, ACTION_CLEAR_PLACEHOLDER, d);
    }
}

/* While the write of an entry hangs, devices keep their placeholders, since the write may still
 * catch some of them. */
void plan_add_dynids(struct builder *b)
{
    const struct dynids *f = dynids_of(b);
    bool write;

    want_entries(b);
    if (f->in_flight)
        return;
    write = f->order != 0 && f->order == snapshot_order(b->snapshot, DYNID_DRIVER);
    if (write)
        add_removals(b);
    const size_t first = b->n_actions;
    if (write && can_add_entries(b))
        add_new_entries(b);
    if (f->hanging == 0)
        add_clearing(b, first);
}

/* -- does it work -- */

/* Has the write of an entry that matches the device failed? */
static bool has_failed(const struct dynids *f, const struct device *d)
{
    struct dynids_walk walk = {0};
    const struct dynid_entry *e;

    while ((e = dynids_next(f, d, &walk)))
        if (e->error != 0)
            return true;
    return false;
}

/* Is this driver offered a new device before vfio-pci, because it was registered earlier? */
static bool comes_first(const struct builder *b, const char *driver)
{
    if (!driver || driver_is_vfio(driver))
        return false;
    uint64_t ours = snapshot_order(b->snapshot, DYNID_DRIVER);
    uint64_t order = snapshot_order(b->snapshot, driver);

    return order != 0 && ours != 0 && order < ours;
}

struct earlier {
    uint32_t id;
    const char *driver;
};

static uint32_t id_of(const struct device *d)
{
    return (uint32_t)d->vendor << 16 | d->device;
}

static const char *find_earlier(const struct builder *b, const struct device *d)
{
    for (size_t i = 0; i < b->n_earlier; i++)
        if (b->earlier[i].id == id_of(d))
            return b->earlier[i].driver;
    return NULL;
}

/* Native drivers that are offered new devices before vfio-pci: one for each ID that has, or had, a
 * device on such a driver. */
static void find_earlier_drivers(struct builder *b)
{
    for (size_t i = 0; i < b->snapshot->n; i++) {
        const struct device *d = &b->snapshot->devices[i];
        const struct record *r = plan_record_of(b, d);
        const char *driver = comes_first(b, d->driver) ? d->driver : r ? r->previous_driver : NULL;
        if (!comes_first(b, driver) || find_earlier(b, d) ||
            !grow(&b->earlier, &b->earlier_allocated, b->n_earlier, sizeof(*b->earlier)))
            continue;
        b->earlier[b->n_earlier++] = (struct earlier){id_of(d), driver};
    }
}

void plan_judge_dynids(struct builder *b)
{
    const struct dynids *f = dynids_of(b);
    bool failed = false;

    if (f->order == 0)
        return;
    find_earlier_drivers(b);
    for (size_t i = 0; i < f->n; i++)
        failed = failed || f->v[i].error != 0;
    for (size_t i = 0; i < b->n_verdicts; i++) {
        struct verdict *v = &b->verdicts[i];
        const struct device *d = plan_device_of(b, v);
        if (!rule_prevents(v->rule))
            continue;
        v->earlier = find_earlier(b, d);
        if (v->earlier || (failed && has_failed(f, d)))
            v->problems |= PROBLEM_DYNAMIC_ID_INEFFECTIVE;
    }
}
