/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan-build.h"

static void add_action(struct builder *b, enum phase phase, enum action_kind kind,
                       const struct device *d, const char *driver)
{
    b->actions[b->n_actions++] = (struct action){phase, kind, d->addr, driver, d->group};
}

static bool is_released(const struct builder *b, const struct verdict *v)
{
    const struct record *r = records_find(b->records, plan_device_of(b, v)->addr);

    return r && r->released;
}

static bool wants_release(const struct builder *b, const struct verdict *v)
{
    return v->state == STATE_PENDING && is_released(b, v) &&
           !records_find(b->records, plan_device_of(b, v)->addr)->in_flight;
}

/* The members of a group that are handed back, each with the same action. */
static void add_for_group(struct builder *b, uint32_t group, enum action_kind kind)
{
    const struct device *member;
    size_t i = plan_group_start(b, group);

    while ((member = plan_next_member(b, group, &i))) {
        int index = b->index[member - b->snapshot->devices];
        if (index >= 0 && wants_release(b, &b->verdicts[index]))
            add_action(b, PHASE_RELEASE, kind, member, kind == ACTION_UNBIND ? member->driver : "");
    }
}

/* A group is handed back whole, and kept until that is done. The override goes before the probe, or
 * the kernel would give the device back to vfio-pci. */
static void add_release(struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v), *member;
    size_t i = plan_group_start(b, d->group);

    while ((member = plan_next_member(b, d->group, &i)) && member < d) {
        int index = b->index[member - b->snapshot->devices];
        if (index >= 0 && wants_release(b, &b->verdicts[index]))
            return; /* done for the first of the group */
    }
    if (d->group == NO_GROUP) {
        add_action(b, PHASE_RELEASE, ACTION_UNBIND, d, d->driver);
        add_action(b, PHASE_RELEASE, ACTION_CLEAR, d, "");
        add_action(b, PHASE_RELEASE, ACTION_PROBE, d, "");
        return;
    }
    if (d->node)
        add_action(b, PHASE_RELEASE, ACTION_HOLD, d, "");
    add_for_group(b, d->group, ACTION_UNBIND);
    add_for_group(b, d->group, ACTION_CLEAR);
    add_for_group(b, d->group, ACTION_PROBE);
}

/* The kernel accepts an override of a driver that it does not know yet: a device that nobody has is
 * then reserved, and bound when the driver is registered. */
static bool wants_override(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = records_find(b->records, d->addr);

    if (r && (r->overridden || r->in_flight || r->released))
        return false;
    return v->state == STATE_PENDING || (v->reason == REASON_DRIVER_MISSING && !d->driver);
}

static bool wants_bind(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);
    const struct record *r = records_find(b->records, d->addr);

    return v->state == STATE_PENDING && !(r && (r->in_flight || r->released));
}

/* A device whose driver link is right, but of which it is not known whether probe() has returned,
 * is bound once more: the kernel answers EBUSY, after waiting for the device's lock. */
static bool is_free_or_ours(const struct builder *b, const struct verdict *v)
{
    const struct device *d = plan_device_of(b, v);

    return !d->driver || streq(d->driver, v->driver);
}

/* Is it to be taken over from another VFIO driver? Its verdict, or NULL. */
static const struct verdict *vfio_takeover(const struct builder *b, const struct device *d)
{
    int index = b->index[d - b->snapshot->devices];
    const struct verdict *v = index < 0 ? NULL : &b->verdicts[index];

    return v && d->node && wants_bind(b, v) && !is_free_or_ours(b, v) ? v : NULL;
}

/* Devices of one group change from one VFIO driver to another together: only one can keep the
 * group, so that no virtual machine can have it meanwhile. */
static void add_group_takeover(struct builder *b, const struct device *d)
{
    const struct device *member;
    size_t first = plan_group_start(b, d->group), i = first;

    while ((member = plan_next_member(b, d->group, &i)) && member < d)
        if (vfio_takeover(b, member))
            return; /* done for the first of them */
    add_action(b, PHASE_TAKEOVER, ACTION_HOLD, d, "");
    for (i = first; (member = plan_next_member(b, d->group, &i));) {
        const struct verdict *v = vfio_takeover(b, member);
        if (!v)
            continue;
        add_action(b, PHASE_TAKEOVER, ACTION_UNBIND, member, member->driver);
        add_action(b, PHASE_TAKEOVER, ACTION_BIND, member, v->driver);
    }
}

void plan_add_actions(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_override(b, &b->verdicts[i]))
            add_action(b, PHASE_OVERRIDE, ACTION_OVERRIDE, plan_device_of(b, &b->verdicts[i]),
                       b->verdicts[i].driver);
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_bind(b, &b->verdicts[i]) && is_free_or_ours(b, &b->verdicts[i]))
            add_action(b, PHASE_BIND, ACTION_BIND, plan_device_of(b, &b->verdicts[i]),
                       b->verdicts[i].driver);
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct device *d = plan_device_of(b, &b->verdicts[i]);
        if (!wants_bind(b, &b->verdicts[i]) || is_free_or_ours(b, &b->verdicts[i]))
            continue;
        if (d->node) { /* from another VFIO driver: a virtual machine may be using it */
            add_group_takeover(b, d);
            continue;
        }
        add_action(b, PHASE_TAKEOVER, ACTION_UNBIND, d, d->driver);
        add_action(b, PHASE_TAKEOVER, ACTION_BIND, d, b->verdicts[i].driver);
    }
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_release(b, &b->verdicts[i]))
            add_release(b, &b->verdicts[i]);
}
