/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: overlapping rules. The parser refuses a rule that can never match, and a rule that adds
 * nothing is confusing. */
#include <fnmatch.h>

#include "import/refine.h"

static bool has_keys_beside_address(const struct import_rule *r)
{
    return *r->what.id || *r->what.subsystem || *r->what.class;
}

/* Does an earlier rule with another driver match the device? */
static bool is_decided_before(const struct import_rules *all, const struct import_rule *narrow,
                              const struct import_rule *wide, const struct device *d)
{
    for (const struct import_rule *r = all->v; r < wide; r++)
        if (r != narrow && !r->dropped && !streq(r->what.driver, narrow->what.driver) &&
            rule_test(import_rule_of(r), d) < 0)
            return true;
    return false;
}

static bool names_only_address(const struct import_rule *r)
{
    return *r->what.address && !r->addresses && !has_keys_beside_address(r);
}

/* A rule by ID that binds the device to the same driver. */
static struct import_rule *taker_by_id(struct import_rules *all, const struct import_rule *r,
                                       const struct device *d)
{
    for (size_t i = 0; i < all->n; i++) {
        struct import_rule *other = &all->v[i];
        if (other != r && !other->dropped && has_keys_beside_address(other) &&
            streq(other->what.driver, r->what.driver) && rule_test(import_rule_of(other), d) < 0 &&
            !is_decided_before(all, r, other, d))
            return other;
    }
    return NULL;
}

/* Do rules by ID select all devices of this host that this rule names? Returns the first of these
 * rules. */
static struct import_rule *takers_by_id(const struct found *f, struct import_rules *all,
                                        const struct import_rule *r)
{
    struct import_rule *first = NULL;

    for (size_t i = 0; names_only_address(r) && i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (rule_test(import_rule_of(r), d) >= 0)
            continue;
        struct import_rule *taker = taker_by_id(all, r, d);
        if (!taker)
            return NULL;
        first = first ? first : taker;
    }
    return first;
}

/* Does the other rule select everything that this one does, for the same driver, on any host? */
static bool is_covered(const struct import_rule *r, const struct import_rule *other)
{
    if (!streq(r->what.driver, other->what.driver))
        return false;
    if (rule_covers(import_rule_of(other), import_rule_of(r)))
        return true;
    return names_only_address(r) && names_only_address(other) &&
           strpbrk(other->what.address, "*?[") && !strpbrk(r->what.address, "*?[") &&
           fnmatch(other->what.address, r->what.address, 0) == 0;
}

/* The comments of the dropped rule move to the rule that stays. */
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
    to->at_boot = to->at_boot || r->at_boot;
    r->dropped = true;
}

static void drop_redundant(struct found *f, struct import_rules *all, struct import_rule *r)
{
    struct import_rule *taker = takers_by_id(f, all, r);

    if (taker)
        hand_over(f, r, taker);
    for (size_t i = 0; i < all->n && !r->dropped; i++) {
        struct import_rule *other = &all->v[i];
        if (other != r && !other->dropped && is_covered(r, other))
            hand_over(f, r, other);
    }
}

/* If two tools want different drivers for the same device, keeps the rule of the tool that
 * prevailed so far. */
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
