/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: rules that overlap. The parser refuses one that can never match, and one that adds
 * nothing only puzzles its reader. */
#include <fnmatch.h>

#include "import/rules.h"

static bool has_keys_beside_address(const struct import_rule *r)
{
    return *r->what.id || *r->what.subsystem || *r->what.class;
}

/* Does a rule of another driver come first for the device? */
static bool is_decided_before(const struct import_rules *all, const struct import_rule *narrow,
                              const struct import_rule *wide, const struct device *d)
{
    for (const struct import_rule *r = all->v; r < wide; r++)
        if (r != narrow && !r->dropped && !streq(r->what.driver, narrow->what.driver) &&
            rule_test(import_rule_of(r), d) < 0)
            return true;
    return false;
}

/* The device of a rule that names nothing but one address; NULL: it is not here. */
static const struct device *device_of(const struct found *f, const struct import_rule *r)
{
    struct pci_addr a;

    if (has_keys_beside_address(r) || r->addresses || pci_addr_parse(r->what.address, &a) < 0)
        return NULL;
    return snapshot_find(&f->s->snapshot, a);
}

/* Does the other rule take all that this one takes, to the same driver? */
static bool is_redundant(const struct found *f, const struct import_rules *all,
                         const struct import_rule *r, const struct import_rule *other)
{
    const struct device *d = device_of(f, r);

    if (!streq(r->what.driver, other->what.driver))
        return false;
    if (rule_covers(import_rule_of(other), import_rule_of(r)))
        return true;
    if (d)
        return rule_test(import_rule_of(other), d) < 0 && !is_decided_before(all, r, other, d);
    return *r->what.address && !has_keys_beside_address(r) && !has_keys_beside_address(other) &&
           !other->addresses && strpbrk(other->what.address, "*?[") &&
           fnmatch(other->what.address, r->what.address, 0) == 0;
}

/* The rule that stays tells of both. */
static void hand_over(struct found *f, struct import_rule *r, struct import_rule *to)
{
    if (r->addresses || *r->what.address)
        import_comment(f, to, "%s is covered by this rule and needs none of its own",
                       r->addresses ? r->addresses : r->what.address);
    else
        import_comment(f, to, "[device %s] would be covered by this rule", r->name);
    for (size_t i = 0; i < r->origins.n; i++) {
        bool known = false;
        for (size_t j = 0; j < to->origins.n; j++)
            known = known || streq(to->origins.v[j], r->origins.v[i]);
        if (!known && !list_add(&to->origins, r->origins.v[i]))
            f->tree.failed = true;
    }
    r->dropped = true;
}

static void drop_redundant(struct found *f, struct import_rules *all, struct import_rule *r)
{
    for (size_t i = 0; i < all->n && !r->dropped; i++) {
        struct import_rule *other = &all->v[i];
        if (other != r && !other->dropped && is_redundant(f, all, r, other))
            hand_over(f, r, other);
    }
}

/* Of two ways that want another driver for the same, the one that had the last word so far. */
static void drop_contradicting(struct found *f, struct import_rules *all, struct import_rule *r)
{
    for (struct import_rule *other = all->v; other < r && !r->dropped; other++) {
        if (other->dropped || !rule_covers(import_rule_of(other), import_rule_of(r)))
            continue;
        for (size_t i = 0; i < r->origins.n; i++)
            found_remark(f, r->origins.v[i] + 1, 0,
                         "wants %s for what is given to %s by %s, which had the last word",
                         r->what.driver, other->what.driver, other->origins.v[0]);
        r->dropped = true;
    }
}

void import_rules_thin_out(struct found *f, struct import_rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        drop_redundant(f, r, &r->v[i]);
    for (size_t i = 0; i < r->n; i++)
        if (!r->v[i].dropped)
            drop_contradicting(f, r, &r->v[i]);
}
