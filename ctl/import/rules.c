/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/rules.h"

#include <errno.h>
#include <stdarg.h>

#include "fields.h"
#include "plan/kinds.h"

#define ADDRESSES_IN_RULE 100 /* a line of the policy holds 4096 bytes */

void import_comment(struct found *f, struct import_rule *r, const char *format, ...)
{
    CLEANUP_FREE char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    if (!text || !list_add(&r->comments, text))
        f->tree.failed = true;
}

static void import_rule_done(struct import_rule *r)
{
    free(r->addresses);
    list_done(&r->origins);
    list_done(&r->devices);
    list_done(&r->comments);
    policy_done(&r->parsed);
}

void import_rules_done(struct import_rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        import_rule_done(&r->v[i]);
    free(r->v);
    *r = (struct import_rules){0};
}

static struct saying saying_of(const struct import_rule *r)
{
    return (struct saying){r->name, &r->what, r->addresses, r->matched};
}

void import_rule_write(const struct import_rule *r, FILE *f)
{
    const struct saying s = saying_of(r);

    saying_write(&s, f);
}

/* -- names -- */

static bool name_is_taken(const struct import_rules *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (streq(all->v[i].name, name))
            return true;
    return false;
}

/* What it selects is its name: "0000:06:00.0", "10de:20f1-10de:1463". */
static void name_rule(const struct import_rules *all, const struct import_rule *r,
                      char ret[static RULE_NAME_MAX + 1])
{
    const struct selection *s = &r->what;
    char base[96]; /* of which a name has room for the first part */
    unsigned n = 1;

    snprintf(base, sizeof(base), "%s%s%s%s%s%s%s", *s->address ? s->address : "",
             *s->address && *s->id ? "-" : "", s->id, *s->subsystem ? "-" : "", s->subsystem,
             *s->class ? "-class-" : "", s->class);
    for (char *c = base; *c; c++)
        if (*c == '*' || *c == '?')
            *c = 'x';
        else if (!is_name_char(*c) && *c != ':')
            *c = '_';
    const char *begin = base + strspn(base, "-");
    snprintf(ret, RULE_NAME_MAX + 1, "%.56s", *begin ? begin : "rule");
    while (name_is_taken(all, ret))
        snprintf(ret, RULE_NAME_MAX + 1, "%.48s-%u", begin, ++n);
}

/* Takes over the rule. Returns NULL, with a remark or `failed`, if the parser does not take it. */
static struct import_rule *append_rule(struct found *f, struct import_rules *all,
                                       struct import_rule *r)
{
    CLEANUP_FREE char *why = NULL;

    name_rule(all, r, r->name);
    const struct saying s = saying_of(r);
    int error = saying_parse(&s, &r->parsed, &why);
    if (error == 0 && grow(&all->v, &all->allocated, all->n, sizeof(*all->v))) {
        all->v[all->n++] = *r;
        return &all->v[all->n - 1];
    }
    if (error == -EINVAL)
        found_remark(f, r->origins.v[0] + 1, 0, "no rule can say this: %s", why ? why : "");
    else
        f->tree.failed = true;
    import_rule_done(r);
    return NULL;
}

const struct import_rule *import_rules_match(const struct import_rules *r, const struct device *d)
{
    for (size_t i = 0; i < r->n; i++)
        if (!r->v[i].dropped && rule_test(import_rule_of(&r->v[i]), d) < 0)
            return &r->v[i];
    return NULL;
}

/* -- by ID what may carry the host -- */

/* A device that a native driver has although its ID is in the list: that driver was earlier, and
 * the host may be glad of it. */
static bool was_not_taken(const struct import_rule *r, const struct device *d)
{
    return plan_may_carry_host(d) && d->driver && !driver_is_vfio(d->driver) &&
           !streq(d->driver, r->what.driver);
}

static bool finds(const struct import_rule *r, const struct device *d)
{
    return !device_is_bridge(d) && rule_test(import_rule_of(r), d) < 0;
}

/* What a rule by ID finds here. */
struct present {
    size_t n, taken;
    const struct device *risky; /* the first that may carry the host */
};

static struct present find_present(const struct found *f, const struct import_rule *r)
{
    struct present p = {0};

    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        if (!finds(r, d))
            continue;
        p.n++;
        p.taken += !was_not_taken(r, d);
        if (!p.risky && plan_may_carry_host(d))
            p.risky = d;
    }
    return p;
}

static struct import_rule rule_of_claim(struct found *f, const struct claim *c)
{
    struct import_rule r = {.what = c->what};

    for (size_t i = 0; i < c->origins.n; i++)
        if (!list_add(&r.origins, c->origins.v[i]))
            f->tree.failed = true;
    return r;
}

/* The devices of `wide` from number `from` on as a list of addresses; malloc'ed. */
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
                         "%s (%s) is meant as well, and yet on %s: it stays there, for the host "
                         "may live on it. If it is not so, add its address",
                         pci_addr_text(d->addr).s, row_name(found_row(f, d), name), d->driver);
    }
}

/* Such devices are taken at boot only if they are named. */
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
        struct import_rule *added = append_rule(f, all, &r);
        if (added && from == 0)
            import_comment(f, added,
                           "not by address so far, and now by those of the devices that are here: "
                           "the host may live on such a device (%s), so at boot vfio-bindd takes "
                           "none without its address",
                           row_name(found_row(f, p->risky), name));
    }
    remark_on_untaken(f, wide);
}

/* Can only the functions of one slot be meant? */
static bool is_of_one_slot(const char *address)
{
    const char *dot = strchr(address, '.');

    return dot && strcspn(address, "*?[") > (size_t)(dot - address);
}

static void add_claim(struct found *f, struct import_rules *all, const struct claim *c)
{
    struct import_rule r = rule_of_claim(f, c);
    struct import_rule *added = append_rule(f, all, &r);

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

/* The narrower one first. */
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
                add_claim(f, ret, &f->claims[i]);
    import_rules_thin_out(f, ret);
    import_rules_hold_companions(f, ret);
    import_rules_describe(f, ret);
}
