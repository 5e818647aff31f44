/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <pci/pci.h>

struct builder {
    const struct policy *policy;
    const struct snapshot *snapshot;
    const struct records *records;
    const struct rule **rules; /* for each device the rule that matches it, or NULL */
    int *index;                /* for each device its verdict in .verdicts, or -1 */
    size_t *by_group;          /* devices in the order of their groups */
    struct verdict *verdicts;
    size_t n_verdicts;
    struct action *actions;
    size_t n_actions;
};

void plan_done(struct plan *p)
{
    free(p->verdicts);
    free(p->actions);
    *p = (struct plan){0};
}

static const struct device *device_of(const struct builder *b, const struct verdict *v)
{
    return &b->snapshot->devices[v->device];
}

static unsigned class_of(const struct device *d)
{
    return d->class_code >> 8; /* base class and subclass */
}

/* -- who is concerned -- */

/* NVSwitch and other endpoints of class 0680 are no bridges in the sense of the header type. */
bool device_is_bridge(const struct device *d)
{
    unsigned class = class_of(d);

    return d->bridge || class == PCI_CLASS_BRIDGE_HOST || class == PCI_CLASS_BRIDGE_ISA ||
           class == PCI_CLASS_BRIDGE_PCI || class == PCI_CLASS_BRIDGE_CARDBUS;
}

/* Disks, network cards and USB controllers: what a host may live on although nothing shows it yet
 * while the host is booting. */
static bool is_risky(const struct device *d)
{
    return d->class_code >> 16 == PCI_BASE_CLASS_STORAGE ||
           d->class_code >> 16 == PCI_BASE_CLASS_NETWORK || class_of(d) == PCI_CLASS_SERIAL_USB ||
           class_of(d) == PCI_CLASS_SERIAL_FIBER;
}

static void add_verdict(struct builder *b, size_t device, const struct rule *rule,
                        const struct device *leader)
{
    struct verdict *v = &b->verdicts[b->n_verdicts];

    *v = (struct verdict){
        .device = device, .rule = rule, .companion = leader != NULL, .driver = rule_target(rule)};
    if (leader)
        v->leader = leader->addr;
    b->index[device] = (int)b->n_verdicts++;
}

/* May the device come along? One that a rule names follows that rule, be it "native"; a virtual
 * function has nothing to do with the other functions of its number. A disk, network card or USB
 * controller in a group of its own is not needed: the second port of a network card stays. */
static bool comes_along(const struct builder *b, const struct device *leader, size_t device)
{
    const struct device *d = &b->snapshot->devices[device];

    if (b->rules[device] || b->index[device] >= 0 || device_is_bridge(d) || d->vf || leader->vf)
        return false;
    return d->group == leader->group || !is_risky(d);
}

static void add_functions(struct builder *b, size_t leader)
{
    const struct snapshot *s = b->snapshot;
    const struct device *d = &s->devices[leader];
    size_t first = leader;

    while (first > 0 && pci_addr_same_slot(s->devices[first - 1].addr, d->addr))
        first--;
    for (size_t i = first; i < s->n && pci_addr_same_slot(s->devices[i].addr, d->addr); i++)
        if (comes_along(b, d, i))
            add_verdict(b, i, b->rules[leader], d);
}

/* The first entry of by_group that belongs to this group. */
static size_t group_start(const struct builder *b, uint32_t group)
{
    size_t low = 0, high = b->snapshot->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->snapshot->devices[b->by_group[middle]].group < group)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The group's next member from position *i of by_group on; NULL after the last. */
static const struct device *next_member(const struct builder *b, uint32_t group, size_t *i)
{
    if (group == NO_GROUP || *i >= b->snapshot->n)
        return NULL;
    const struct device *d = &b->snapshot->devices[b->by_group[*i]];
    if (d->group != group)
        return NULL;
    ++*i;
    return d;
}

static void add_group(struct builder *b, size_t leader)
{
    const struct device *d = &b->snapshot->devices[leader], *member;
    size_t i = group_start(b, d->group);

    while ((member = next_member(b, d->group, &i))) {
        size_t index = (size_t)(member - b->snapshot->devices);
        if (!b->rules[index] && b->index[index] < 0 && !device_is_bridge(member))
            add_verdict(b, index, b->rules[leader], d);
    }
}

/* Does a function stay with the host because another function of its card does? Not if a rule that
 * comes earlier decides, or one that names its very place; nor the other port of a network card. */
static bool stays_along(const struct builder *b, size_t keeper, size_t i)
{
    const struct device *d = &b->snapshot->devices[i];

    if (d->vf || (is_risky(d) && d->group != b->snapshot->devices[keeper].group))
        return false;
    return !b->rules[i] || (b->rules[i] > b->rules[keeper] && !rule_names_place(b->rules[i], d));
}

/* A card that a "native" rule leaves to the host is left whole. */
static void keep_native_functions(struct builder *b, size_t keeper)
{
    const struct snapshot *s = b->snapshot;
    struct pci_addr a = s->devices[keeper].addr;
    size_t i = keeper;

    while (i > 0 && pci_addr_same_slot(s->devices[i - 1].addr, a))
        i--;
    for (; i < s->n && pci_addr_same_slot(s->devices[i].addr, a); i++)
        if (stays_along(b, keeper, i))
            b->rules[i] = b->rules[keeper];
}

static void match_rules(struct builder *b)
{
    const struct snapshot *s = b->snapshot;

    for (size_t i = 0; i < s->n; i++) {
        b->rules[i] = s->devices[i].detailed ? policy_match(b->policy, &s->devices[i]) : NULL;
        b->index[i] = -1;
    }
    for (size_t i = 0; i < s->n; i++)
        if (b->rules[i] && rule_is_native(b->rules[i]) && b->rules[i]->group != GROUP_MATCHED &&
            !s->devices[i].vf)
            keep_native_functions(b, i);
}

static void select_devices(struct builder *b)
{
    const struct snapshot *s = b->snapshot;

    match_rules(b);
    for (size_t i = 0; i < s->n; i++)
        if (b->rules[i] && !rule_is_native(b->rules[i]))
            add_verdict(b, i, b->rules[i], NULL);
    for (size_t i = 0; i < s->n; i++) {
        if (!b->rules[i] || rule_is_native(b->rules[i]))
            continue;
        if (b->rules[i]->group != GROUP_MATCHED)
            add_functions(b, i);
        if (b->rules[i]->group == GROUP_ALL)
            add_group(b, i);
    }
}

/* -- what may be done -- */

/* At cold boot no file system is mounted and no link is up: that a device seems unused proves
 * nothing then. Later, a device without a driver has no user; one that was plugged in while we ran
 * had none before. */
static bool is_unproven(const struct builder *b, const struct verdict *v, const struct record *r)
{
    const struct snapshot *s = b->snapshot;
    const struct device *d = device_of(b, v);
    const struct device *named = v->companion ? snapshot_find(s, v->leader) : d;

    if (!is_risky(d) || v->rule->force || (r && r->unused_before))
        return false;
    if (!s->cold_boot && !d->driver)
        return false;
    return !rule_names_place(v->rule, named);
}

static void refuse(struct verdict *v, enum reason reason)
{
    v->state = STATE_REFUSED;
    v->reason = reason;
    if (reason == REASON_UNPROVEN_AT_BOOT)
        v->problems |= PROBLEM_UNPROVEN_AT_BOOT;
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

/* Whether a virtual machine has a device of a VFIO driver shows in its group's node. Without one
 * (kernels that have only the device's own character device, no-IOMMU mode) nothing does. */
static bool may_be_held(const struct device *d)
{
    return driver_is_vfio(d->driver) && !d->node;
}

static void judge_released(struct verdict *v, const struct device *d, const struct record *r)
{
    bool still_ours = streq_null(d->driver, v->driver);

    if (r->error)
        fail(v, REASON_KERNEL_ERROR);
    else if (!still_ours)
        v->state = STATE_RELEASED;
    else if (d->has_vfs)
        refuse(v, REASON_HAS_VIRTUAL_FUNCTIONS);
    else if (may_be_held(d))
        occupy(v);
    else if (r->handed_back)
        fail(v, REASON_TAKEN_BACK);
    else
        v->state = STATE_PENDING;
}

/* What a single device's own facts say. */
static void judge(const struct builder *b, struct verdict *v)
{
    const struct device *d = device_of(b, v);
    const struct record *r = records_find(b->records, d->addr);

    if (r && r->touched)
        v->problems |= PROBLEM_NATIVE_DRIVER_TOUCHED;
    if (!streq(v->driver, "vfio-pci"))
        v->problems |= PROBLEM_DRIVER_NOT_ADVERTISED;

    if (device_is_bridge(d)) {
        refuse(v, REASON_BRIDGE);
    } else if (r && r->in_flight) {
        v->state = r->stuck ? STATE_STUCK : STATE_PENDING;
        v->reason = r->stuck ? REASON_DEADLINE : REASON_NONE;
    } else if (r && r->released) {
        judge_released(v, d, r);
    } else if (r && r->contested) {
        v->state = STATE_CONTESTED;
        v->reason = REASON_FLAPS;
    } else if (streq_null(d->driver, v->driver) && r && r->confirmed) {
        v->state = STATE_BOUND;
    } else if (streq_null(d->driver, v->driver)) {
        if (r && r->error)
            fail(v, REASON_KERNEL_ERROR);
        else
            v->state = STATE_PENDING;
    } else if (may_be_held(d)) {
        occupy(v);
    } else if (d->has_vfs) {
        refuse(v, REASON_HAS_VIRTUAL_FUNCTIONS);
    } else if (d->boot_display && d->driver && !v->rule->force) {
        refuse(v, REASON_BOOT_DISPLAY);
    } else if (is_unproven(b, v, r)) {
        refuse(v, REASON_UNPROVEN_AT_BOOT);
    } else if (d->use && !v->rule->force) {
        occupy(v);
    } else if (r && r->hotplugged && v->rule->hotplug == HOTPLUG_OFF) {
        refuse(v, REASON_HOTPLUG_OFF);
    } else if (d->group == NO_GROUP && !b->snapshot->unsafe_noiommu && driver_is_vfio(v->driver)) {
        v->problems |= PROBLEM_NO_IOMMU; /* vfio-pci's probe fails without a group */
        fail(v, REASON_NO_IOMMU);
    } else if (r && r->error == EBUSY && r->failed_at == ACTION_HOLD) {
        occupy(v);
    } else if (r && r->error) {
        fail(v, REASON_KERNEL_ERROR);
    } else if (r && r->unverified) {
        fail(v, REASON_NOT_VERIFIED);
    } else if (!snapshot_is_registered(b->snapshot, v->driver)) {
        fail(v, REASON_DRIVER_MISSING);
    } else {
        v->state = STATE_PENDING;
    }
}

/* Does it hold back the others of its group? A bridge does not: groups may have them. */
static bool holds_back(const struct verdict *v)
{
    return (v->state == STATE_REFUSED && v->reason != REASON_COMPANION_REFUSED &&
            v->reason != REASON_BRIDGE) ||
           v->reason == REASON_IN_USE;
}

/* Devices of one IOMMU group that belong together are taken together or not at all: a group with
 * one protected member is of no use to a virtual machine. */
static void refuse_together(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct verdict *v = &b->verdicts[i];
        const struct device *d = device_of(b, v), *member;
        if (!holds_back(v))
            continue;
        size_t at = group_start(b, d->group);
        while ((member = next_member(b, d->group, &at))) {
            int other = b->index[member - b->snapshot->devices];
            if (other < 0 || b->verdicts[other].state != STATE_PENDING ||
                b->verdicts[other].rule != v->rule)
                continue;
            b->verdicts[other].state = STATE_REFUSED;
            b->verdicts[other].reason = REASON_COMPANION_REFUSED;
            b->verdicts[other].other = d->addr;
        }
    }
}

/* -- what is to be done -- */

static void add_action(struct builder *b, enum phase phase, enum action_kind kind,
                       const struct device *d, const char *driver)
{
    b->actions[b->n_actions++] = (struct action){phase, kind, d->addr, driver, d->group};
}

static bool is_released(const struct builder *b, const struct verdict *v)
{
    const struct record *r = records_find(b->records, device_of(b, v)->addr);

    return r && r->released;
}

static bool wants_release(const struct builder *b, const struct verdict *v)
{
    return v->state == STATE_PENDING && is_released(b, v) &&
           !records_find(b->records, device_of(b, v)->addr)->in_flight;
}

/* The members of a group that are handed back, each with the same action. */
static void add_for_group(struct builder *b, uint32_t group, enum action_kind kind)
{
    const struct device *member;
    size_t i = group_start(b, group);

    while ((member = next_member(b, group, &i))) {
        int index = b->index[member - b->snapshot->devices];
        if (index >= 0 && wants_release(b, &b->verdicts[index]))
            add_action(b, PHASE_RELEASE, kind, member, kind == ACTION_UNBIND ? member->driver : "");
    }
}

/* A group is handed back whole, and kept until that is done. The override goes before the probe, or
 * the kernel would give the device back to vfio-pci. */
static void add_release(struct builder *b, const struct verdict *v)
{
    const struct device *d = device_of(b, v), *member;
    size_t i = group_start(b, d->group);

    while ((member = next_member(b, d->group, &i)) && member < d) {
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
    const struct device *d = device_of(b, v);
    const struct record *r = records_find(b->records, d->addr);

    if (r && (r->overridden || r->in_flight || r->released))
        return false;
    return v->state == STATE_PENDING || (v->reason == REASON_DRIVER_MISSING && !d->driver);
}

static bool wants_bind(const struct builder *b, const struct verdict *v)
{
    const struct device *d = device_of(b, v);
    const struct record *r = records_find(b->records, d->addr);

    return v->state == STATE_PENDING && !(r && (r->in_flight || r->released));
}

/* A device whose driver link is right, but of which it is not known whether probe() has returned,
 * is bound once more: the kernel answers EBUSY, after waiting for the device's lock. */
static bool is_free_or_ours(const struct builder *b, const struct verdict *v)
{
    const struct device *d = device_of(b, v);

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
    size_t first = group_start(b, d->group), i = first;

    while ((member = next_member(b, d->group, &i)) && member < d)
        if (vfio_takeover(b, member))
            return; /* done for the first of them */
    add_action(b, PHASE_TAKEOVER, ACTION_HOLD, d, "");
    for (i = first; (member = next_member(b, d->group, &i));) {
        const struct verdict *v = vfio_takeover(b, member);
        if (!v)
            continue;
        add_action(b, PHASE_TAKEOVER, ACTION_UNBIND, member, member->driver);
        add_action(b, PHASE_TAKEOVER, ACTION_BIND, member, v->driver);
    }
}

static void add_actions(struct builder *b)
{
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_override(b, &b->verdicts[i]))
            add_action(b, PHASE_OVERRIDE, ACTION_OVERRIDE, device_of(b, &b->verdicts[i]),
                       b->verdicts[i].driver);
    for (size_t i = 0; i < b->n_verdicts; i++)
        if (wants_bind(b, &b->verdicts[i]) && is_free_or_ours(b, &b->verdicts[i]))
            add_action(b, PHASE_BIND, ACTION_BIND, device_of(b, &b->verdicts[i]),
                       b->verdicts[i].driver);
    for (size_t i = 0; i < b->n_verdicts; i++) {
        const struct device *d = device_of(b, &b->verdicts[i]);
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

/* -- is it usable -- */

/* The kernel's rule (vfio_dev_viable): every endpoint is on a VFIO driver, pci-stub, pcieport or
 * none. Bridges do not count. */
bool device_is_viable(const struct device *d)
{
    return device_is_bridge(d) || !d->driver || driver_is_vfio(d->driver) ||
           streq(d->driver, "pci-stub") || streq(d->driver, "pcieport");
}

static void judge_use(const struct builder *b, struct verdict *v)
{
    const struct device *d = device_of(b, v), *member;
    size_t i = group_start(b, d->group);

    while ((member = next_member(b, d->group, &i))) {
        int other = b->index[member - b->snapshot->devices];
        bool will_leave = other >= 0 && b->verdicts[other].state == STATE_PENDING;
        if (device_is_viable(member) || will_leave || member == d)
            continue;
        v->problems |= PROBLEM_GROUP_NOT_VIABLE;
        v->other = member->addr;
        v->other_driver = member->driver;
        v->other_selected = other >= 0;
        break;
    }
    if (v->state != STATE_BOUND || !driver_is_vfio(v->driver))
        return;
    if (d->group == NO_GROUP)
        v->problems |= PROBLEM_NO_IOMMU;
    else if (!d->node)
        v->problems |= PROBLEM_NODE_MISSING;
    v->usable =
        !(v->problems & (PROBLEM_GROUP_NOT_VIABLE | PROBLEM_NODE_MISSING | PROBLEM_NO_IOMMU));
}

/* -- all of it -- */

static int by_group(const void *x, const void *y, void *devices)
{
    const struct device *v = devices, *a = &v[*(const size_t *)x], *b = &v[*(const size_t *)y];

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a > b) - (a < b);
}

static int by_address(const void *x, const void *y)
{
    const struct verdict *a = x, *b = y;
    return (a->device > b->device) - (a->device < b->device);
}

static bool allocate(struct builder *b)
{
    size_t n = b->snapshot->n + 1; /* so that none is empty */

    b->rules = calloc(n, sizeof(*b->rules));
    b->index = calloc(n, sizeof(*b->index));
    b->by_group = calloc(n, sizeof(*b->by_group));
    b->verdicts = calloc(n, sizeof(*b->verdicts));
    b->actions = calloc(5 * n, sizeof(*b->actions));
    return b->rules && b->index && b->by_group && b->verdicts && b->actions;
}

static void builder_done(struct builder *b)
{
    free(b->rules);
    free(b->index);
    free(b->by_group);
    free(b->verdicts);
    free(b->actions);
}

int plan_make(const struct policy *p, const struct snapshot *s, const struct records *r,
              struct plan *ret)
{
    CLEANUP(builder_done) struct builder b = {.policy = p, .snapshot = s, .records = r};

    if (!allocate(&b))
        return -ENOMEM;
    for (size_t i = 0; i < s->n; i++)
        b.by_group[i] = i;
    qsort_r(b.by_group, s->n, sizeof(*b.by_group), by_group, s->devices);

    select_devices(&b);
    qsort(b.verdicts, b.n_verdicts, sizeof(*b.verdicts), by_address);
    for (size_t i = 0; i < b.n_verdicts; i++)
        b.index[b.verdicts[i].device] = (int)i;
    for (size_t i = 0; i < b.n_verdicts; i++)
        judge(&b, &b.verdicts[i]);
    refuse_together(&b);
    for (size_t i = 0; i < b.n_verdicts; i++)
        judge_use(&b, &b.verdicts[i]);
    add_actions(&b);

    *ret = (struct plan){b.verdicts, b.n_verdicts, b.actions, b.n_actions};
    b.verdicts = NULL;
    b.actions = NULL;
    return 0;
}

const struct verdict *plan_find(const struct plan *p, const struct snapshot *s, struct pci_addr a)
{
    size_t low = 0, high = p->n_verdicts;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = pci_addr_cmp(s->devices[p->verdicts[middle].device].addr, a);
        if (order == 0)
            return &p->verdicts[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int plan_count_matched(const struct plan *p, const struct rule *r)
{
    int n = 0;

    for (size_t i = 0; i < p->n_verdicts; i++)
        n += p->verdicts[i].rule == r && !p->verdicts[i].companion;
    return n;
}
