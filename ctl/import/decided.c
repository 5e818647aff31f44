/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the existing policy. The new rules are for a drop-in and are tried before the existing
 * ones, so they leave out devices that those take, bring along, or protect. */
#include "import/refine.h"
#include "model/kinds.h"

#define EXCEPTIONS_MAX 100 /* a line of the policy holds 4096 bytes */

const struct rule *import_decided_by(const struct found *f, const struct device *d)
{
    const struct row *row = found_row(f, d);

    if (row->v)
        return row->v->rule;
    if (row->native)
        return row->native;
    return f->s->policy.n_rules > 0 ? policy_match(&f->s->policy, d) : NULL;
}

/* A rule that selects all devices that this one selects; NULL: none. */
static const struct rule *covering_rule(const struct found *f, const struct import_rule *r)
{
    for (size_t i = 0; i < f->s->policy.n_rules; i++)
        if (rule_covers(&f->s->policy.rules[i], import_rule_of(r)))
            return &f->s->policy.rules[i];
    return NULL;
}

/* The devices that a rule selects on this host. */
struct taken {
    size_t n, decided;
    const struct rule *by; /* the first existing rule that decides about one of them */
};

static struct taken find_taken(const struct found *f, const struct import_rules *all,
                               const struct import_rule *r)
{
    struct taken t = {0};

    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (device_is_bridge(d) || import_rules_match(all, d) != r)
            continue;
        const struct rule *by = import_decided_by(f, d);
        t.n++;
        t.decided += by != NULL;
        t.by = t.by ? t.by : by;
    }
    return t;
}

static void drop_decided(struct found *f, struct import_rule *r, const struct rule *by)
{
    for (size_t i = 0; i < r->origins.n; i++)
        found_remark(f, r->origins.v[i] + 1, 0,
                     "[%s] in %s already decides about it: no rule is made from it", by->name,
                     policy_file(&f->s->policy, by->section));
    f->n_decided++;
    r->dropped = true;
}

/* The rule's addresses, with "!ADDRESS" for each device that an existing rule decides about;
 * malloc'ed. */
static char *with_exceptions(struct found *f, const struct import_rules *all, struct import_rule *r)
{
    const char *first = r->addresses ? r->addresses : r->what.address;
    char *text = calloc(1, strlen(first) + EXCEPTIONS_MAX * (PCI_ADDR_MAX + 3) + 1);
    size_t used = text ? (size_t)sprintf(text, "%s", first) : 0;

    for (size_t i = 0; text && i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        const struct rule *by = import_decided_by(f, d);
        if (!by || device_is_bridge(d) || import_rules_match(all, d) != r)
            continue;
        used += (size_t)sprintf(text + used, "%s!%s", used ? ", " : "", pci_addr_text(d->addr).s);
        import_comment(f, r, "%s is left out: [%s] in %s already decides about it",
                       pci_addr_text(d->addr).s, by->name, policy_file(&f->s->policy, by->section));
    }
    return text;
}

static void except_decided(struct found *f, const struct import_rules *all, struct import_rule *r)
{
    char *addresses = with_exceptions(f, all, r);

    if (addresses) {
        free(r->addresses);
        r->addresses = addresses;
    }
    if (!addresses || !import_rule_parse(r))
        f->tree.failed = true;
}

void import_rules_leave_decided(struct found *f, struct import_rules *all)
{
    for (size_t i = 0; i < all->n && f->s->policy.n_rules > 0; i++) {
        struct import_rule *r = &all->v[i];
        if (r->dropped)
            continue;
        struct taken t = find_taken(f, all, r);
        const struct rule *covering = t.n == 0 ? covering_rule(f, r) : NULL;
        if (covering)
            drop_decided(f, r, covering);
        else if (t.n > 0 && (t.decided == t.n || t.decided > EXCEPTIONS_MAX))
            drop_decided(f, r, t.by);
        else if (t.decided > 0)
            except_decided(f, all, r);
    }
}
