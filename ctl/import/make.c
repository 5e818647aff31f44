/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/make.h"

#include "fields.h"
#include "import/refine.h"
#include "model/kinds.h"

#define ADDRESSES_IN_RULE 100 /* a line of the policy holds 4096 bytes */

/* -- by ID what may carry the host -- */

/* Is the ID in the list although a native driver has the device? Then that driver was first, and
 * the host may depend on it. */
static bool was_not_taken(const struct import_rule *r, const struct device *d)
{
    return device_may_carry_host(d) && d->driver && !driver_is_vfio(d->driver) &&
           !streq(d->driver, r->what.driver);
}

static bool finds(const struct import_rule *r, const struct device *d)
{
    return !device_is_bridge(d) && rule_test(import_rule_of(r), d) < 0;
}

/* The devices on this host that match a rule by ID. */
struct present {
    size_t n, taken;
    const struct device *risky; /* the first one that may carry the host */
};

/* Virtual functions are created by a native driver, after the boot; those that are added later are
 * meant as well. */
static bool is_risky(const struct import_rule *r, const struct device *d)
{
    return device_may_carry_host(d) && (!d->vf || was_not_taken(r, d));
}

static struct present find_present(const struct found *f, const struct import_rule *r)
{
    struct present p = {0};

    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (!finds(r, d))
            continue;
        p.n++;
        p.taken += !was_not_taken(r, d);
        if (!p.risky && is_risky(r, d))
            p.risky = d;
    }
    return p;
}

static struct import_rule rule_of_claim(struct found *f, const struct claim *c)
{
    struct import_rule r = {.what = c->what, .at_boot = c->at_boot};

    for (size_t i = 0; i < c->origins.n; i++)
        if (!list_add(&r.origins, c->origins.v[i]))
            f->tree.failed = true;
    return r;
}

/* The devices of `wide`, beginning with number `from`, as a list of addresses; malloc'ed. */
static char *address_list(const struct found *f, const struct import_rule *wide, size_t from)
{
    char *text = calloc(ADDRESSES_IN_RULE, PCI_ADDR_MAX + 2);
    size_t used = 0, n = 0;

    for (size_t i = 0; text && i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (!finds(wide, d) || was_not_taken(wide, d))
            continue;
        if (n >= from && n < from + ADDRESSES_IN_RULE)
            used +=
                (size_t)sprintf(text + used, "%s%s", used ? ", " : "", pci_addr_text(d->addr).s);
        n++;
    }
    return text;
}

static void remark_on_untaken(struct found *f, const struct import_rule *wide)
{
    char name[FIELD_TEXT_MAX];

    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (finds(wide, d) && was_not_taken(wide, d))
            found_remark(f, wide->origins.v[0] + 1, 0,
                         "%s (%s) is meant as well, and yet on %s: it stays there, because the "
                         "host may need it. If the host does not, add its address",
                         pci_addr_text(d->addr).s, row_name(found_row(f, d), name), d->driver);
    }
}

/* At boot, such devices are taken only if they are named. */
static void add_by_address(struct found *f, struct import_rules *all, const struct claim *c,
                           const struct import_rule *wide, const struct present *p)
{
    char name[FIELD_TEXT_MAX];

    for (size_t from = 0; from < p->taken; from += ADDRESSES_IN_RULE) {
        struct import_rule r = rule_of_claim(f, c);
        r.addresses = address_list(f, wide, from);
        if (!r.addresses) {
            f->tree.failed = true;
            import_rule_done(&r);
            return;
        }
        struct import_rule *added = import_rules_append(f, all, &r);
        if (added && from == 0)
            import_comment(
                f, added,
                "not by address so far, and now by those of the devices that are here: the host "
                "may need such a device (%s), so at boot vfio-bindd takes none without its address",
                row_name(found_row(f, p->risky), name));
    }
    remark_on_untaken(f, wide);
}

/* Can the pattern match the functions of one slot only? */
static bool is_of_one_slot(const char *address)
{
    const char *dot = strchr(address, '.');

    return dot && strcspn(address, "*?[") > (size_t)(dot - address);
}

static void turn_into_rules(struct found *f, struct import_rules *all, const struct claim *c)
{
    struct import_rule r = rule_of_claim(f, c);
    struct import_rule *added = import_rules_append(f, all, &r);

    if (!added || is_of_one_slot(c->what.address))
        return;
    struct present p = find_present(f, added);
    if (!p.risky)
        return;
    struct import_rule wide = *added;
    all->n--;
    add_by_address(f, all, c, &wide, &p);
    import_rule_done(&wide);
}

/* -- all -- */

/* Narrower selections come first. */
static unsigned rank_of(const struct selection *s)
{
    if (*s->address)
        return strpbrk(s->address, "*?[") ? 1 : 0;
    if (*s->id && !strchr(s->id, '*'))
        return *s->subsystem || *s->class ? 2 : 3;
    return *s->id ? (*s->subsystem || *s->class ? 4 : 5) : 6;
}

void import_rules_make(struct found *f, struct import_rules *ret)
{
    *ret = (struct import_rules){0};
    for (unsigned rank = 0; rank <= 6; rank++)
        for (size_t i = 0; i < f->n_claims; i++)
            if (rank_of(&f->claims[i].what) == rank)
                turn_into_rules(f, ret, &f->claims[i]);
    import_rules_thin_out(f, ret);
    import_rules_leave_decided(f, ret);
    import_rules_hold_companions(f, ret);
    import_rules_add_ids(f, ret);
    import_rules_find_unexplained(f, ret);
    import_rules_describe(f, ret);
}
