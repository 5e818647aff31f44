/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/select.h"

#include <assert.h>

#include "model/kinds.h"

static void add_verdict(struct builder *b, size_t device, const struct rule *rule,
                        const struct device *leader)
{
    struct verdict *v = &b->verdicts[b->n_verdicts];
    const char *variant = rule_is_auto(rule) ? b->snapshot->devices[device].variant : NULL;

    assert(b->n_verdicts < b->snapshot->n && b->index[device] < 0);
    *v = (struct verdict){.addr = b->snapshot->devices[device].addr,
                          .rule = rule,
                          .comes_along = leader != NULL,
                          .driver = variant ? variant : rule_target(rule)};
    if (leader)
        v->leader = leader->addr;
    b->devices[b->n_verdicts] = device;
    b->index[device] = (int)b->n_verdicts++;
}

static bool same_group(const struct device *x, const struct device *y)
{
    return x->group != NO_GROUP && x->group == y->group;
}

/* May the device come along with its leader? Not if it was not read, if it is not known yet whether
 * a rule matches it, if a rule matches it (it follows that rule then), or if one of the two is a
 * virtual function, which is independent of the other functions of its slot. A function that the
 * host may depend on stays: see plan_unnamed_function(). */
static bool comes_along(const struct builder *b, const struct device *leader, size_t device)
{
    const struct device *d = &b->snapshot->devices[device];

    if (!d->detailed || b->rules[device] || b->index[device] >= 0 || device_is_bridge(d) || d->vf ||
        leader->vf || policy_is_undecided(b->policy, d))
        return false;
    return !device_must_be_named(d, leader);
}

/* The index of the first function of the device's slot. */
static size_t first_function(const struct snapshot *s, size_t i)
{
    struct pci_addr a = s->devices[i].addr;

    while (i > 0 && pci_addr_same_slot(s->devices[i - 1].addr, a))
        i--;
    return i;
}

const struct device *plan_unnamed_function(const struct builder *b, const struct verdict *v)
{
    const struct snapshot *s = b->snapshot;
    const struct device *d = plan_device_of(b, v);

    if (v->comes_along || v->rule->group != GROUP_FUNCTIONS || d->vf)
        return NULL;
    for (size_t i = first_function(s, plan_index_of(b, d));
         i < s->n && pci_addr_same_slot(s->devices[i].addr, d->addr); i++) {
        const struct device *other = &s->devices[i];
        if (!b->rules[i] && b->index[i] < 0 && same_group(other, d) && !other->vf &&
            !device_is_bridge(other) && device_must_be_named(other, d))
            return other;
    }
    return NULL;
}

static void add_functions(struct builder *b, size_t leader)
{
    const struct snapshot *s = b->snapshot;
    const struct device *d = &s->devices[leader];

    for (size_t i = first_function(s, leader);
         i < s->n && pci_addr_same_slot(s->devices[i].addr, d->addr); i++)
        if (comes_along(b, d, i))
            add_verdict(b, i, b->rules[leader], d);
}

static void add_group_members(struct builder *b, size_t leader)
{
    const struct device *d = &b->snapshot->devices[leader], *member;
    size_t i = groups_start(&b->groups, d->group);

    while ((member = plan_next_member(b, d->group, &i))) {
        size_t index = plan_index_of(b, member);
        if (!b->rules[index] && b->index[index] < 0 && !device_is_bridge(member) &&
            !policy_is_undecided(b->policy, member))
            add_verdict(b, index, b->rules[leader], d);
    }
}

/* Does function i stay with the host because `keeper`, another function of the same card, does? Not
 * if an earlier rule decides about it, or a rule that names it by address, slot or serial number;
 * and not if it is in another group and the host may depend on it, like the second port of a
 * network card. */
static bool stays_along(const struct builder *b, size_t keeper, size_t i)
{
    const struct device *d = &b->snapshot->devices[i], *kept = &b->snapshot->devices[keeper];

    if (d->vf || (d->group != kept->group && device_must_be_named(d, kept)))
        return false;
    return !b->rules[i] || (b->rules[i] > b->rules[keeper] && !rule_names_device(b->rules[i], d));
}

/* If a "native" rule leaves one function to the host, the whole card stays. Returns whether a
 * further function was kept, which may keep others in turn. */
static bool keep_native_functions(struct builder *b, size_t keeper)
{
    const struct snapshot *s = b->snapshot;
    struct pci_addr a = s->devices[keeper].addr;
    bool kept = false;

    for (size_t i = first_function(s, keeper);
         i < s->n && pci_addr_same_slot(s->devices[i].addr, a); i++)
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
            add_group_members(b, i);
    }
}
