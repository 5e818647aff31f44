/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pci/pci.h>

#include "plan-build.h"

const struct device *plan_device_of(const struct builder *b, const struct verdict *v)
{
    return &b->snapshot->devices[v->device];
}

const struct record *plan_record_of(const struct builder *b, const struct device *d)
{
    return b->known[d - b->snapshot->devices];
}

unsigned plan_class_of(const struct device *d)
{
    return d->class_code >> 8; /* base class and subclass */
}

/* NVSwitch and other endpoints of class 0680 are no bridges in the sense of the header type. */
bool device_is_bridge(const struct device *d)
{
    unsigned class = plan_class_of(d);

    return d->bridge || class == PCI_CLASS_BRIDGE_HOST || class == PCI_CLASS_BRIDGE_ISA ||
           class == PCI_CLASS_BRIDGE_PCI || class == PCI_CLASS_BRIDGE_CARDBUS;
}

/* Kinds that cannot carry the host: no disk, network or console can hang below them. Whatever is
 * not here may have one, even if it is of no class that is known for it: an SD host controller,
 * FireWire, InfiniBand, or a class that comes next year. A display that shows the console is seen
 * as such. */
bool plan_may_carry_host(const struct device *d)
{
    static const struct {
        unsigned class, mask, vendor; /* vendor 0: any */
    } safe[] = {
        {0x0300, 0xff00, 0},      /* displays, 3D controllers */
        {0x0400, 0xff00, 0},      /* audio, video */
        {0x0b40, 0xffff, 0},      /* co-processors */
        {0x1200, 0xff00, 0},      /* processing accelerators */
        {0x0680, 0xffff, 0x10de}, /* NVSwitch */
    };

    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
        if ((plan_class_of(d) & safe[i].mask) == safe[i].class &&
            (safe[i].vendor == 0 || safe[i].vendor == d->vendor))
            return false;
    return true;
}

/* A GPU's USB-C connector: a USB controller and one for its power, beside a display or 3D
 * controller as function 0 of the same slot. They belong to the card, not to the host. */
bool plan_is_part_of_display(const struct device *d, const struct device *leader)
{
    return (plan_class_of(d) == PCI_CLASS_SERIAL_USB || plan_class_of(d) == 0x0c80) &&
           leader->addr.fn == 0 && leader->class_code >> 16 == PCI_BASE_CLASS_DISPLAY &&
           pci_addr_same_slot(d->addr, leader->addr);
}

static void add_verdict(struct builder *b, size_t device, const struct rule *rule,
                        const struct device *leader)
{
    struct verdict *v = &b->verdicts[b->n_verdicts];
    const char *variant = rule_is_auto(rule) ? b->snapshot->devices[device].variant : NULL;

    *v = (struct verdict){.device = device,
                          .rule = rule,
                          .companion = leader != NULL,
                          .driver = variant ? variant : rule_target(rule)};
    if (leader)
        v->leader = leader->addr;
    b->index[device] = (int)b->n_verdicts++;
}

/* May the device come along? Not if next to nothing is known of it. One that a rule names follows
 * that rule, be it "native"; a virtual function has nothing to do with the other functions of its
 * number. A disk, network card or USB controller in a group of its own is not needed: the second
 * port of a network card stays. */
static bool comes_along(const struct builder *b, const struct device *leader, size_t device)
{
    const struct device *d = &b->snapshot->devices[device];

    if (!d->detailed || b->rules[device] || b->index[device] >= 0 || device_is_bridge(d) || d->vf ||
        leader->vf)
        return false;
    return (d->group != NO_GROUP && d->group == leader->group) || !plan_may_carry_host(d) ||
           plan_is_part_of_display(d, leader);
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

static void add_group(struct builder *b, size_t leader)
{
    const struct device *d = &b->snapshot->devices[leader], *member;
    size_t i = groups_start(&b->groups, d->group);

    while ((member = groups_next(&b->groups, d->group, &i))) {
        size_t index = (size_t)(member - b->snapshot->devices);
        if (!b->rules[index] && b->index[index] < 0 && !device_is_bridge(member))
            add_verdict(b, index, b->rules[leader], d);
    }
}

/* Does a function stay with the host because another function of its card does? Not if a rule that
 * comes earlier decides, or one that names its very place; nor the other port of a network card. */
static bool stays_along(const struct builder *b, size_t keeper, size_t i)
{
    const struct device *d = &b->snapshot->devices[i], *kept = &b->snapshot->devices[keeper];

    if (d->vf ||
        (plan_may_carry_host(d) && d->group != kept->group && !plan_is_part_of_display(d, kept)))
        return false;
    return !b->rules[i] || (b->rules[i] > b->rules[keeper] && !rule_names_place(b->rules[i], d));
}

/* A card that a "native" rule leaves to the host is left whole. Returns whether a function was kept
 * that was not before: its group may keep further ones. */
static bool keep_native_functions(struct builder *b, size_t keeper)
{
    const struct snapshot *s = b->snapshot;
    struct pci_addr a = s->devices[keeper].addr;
    size_t i = keeper;
    bool kept = false;

    while (i > 0 && pci_addr_same_slot(s->devices[i - 1].addr, a))
        i--;
    for (; i < s->n && pci_addr_same_slot(s->devices[i].addr, a); i++)
        if (stays_along(b, keeper, i)) {
            b->rules[i] = b->rules[keeper];
            kept = true;
        }
    return kept;
}

static bool is_keeper(const struct builder *b, size_t i)
{
    return b->rules[i] && rule_is_native(b->rules[i]) && b->rules[i]->group != GROUP_MATCHED &&
           !b->snapshot->devices[i].vf;
}

static void match_rules(struct builder *b)
{
    const struct snapshot *s = b->snapshot;

    for (size_t i = 0; i < s->n; i++) {
        b->rules[i] = s->devices[i].detailed && !s->devices[i].unidentified &&
                              !policy_is_undecided(b->policy, &s->devices[i])
                          ? policy_match(b->policy, &s->devices[i])
                          : NULL;
        b->index[i] = -1;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < s->n; i++)
            again = (is_keeper(b, i) && keep_native_functions(b, i)) || again;
    }
}

void plan_select(struct builder *b)
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
