/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/rules.h"

#include <errno.h>
#include <stdarg.h>

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

void import_rule_done(struct import_rule *r)
{
    free(r->addresses);
    free(r->ids);
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
    return (struct saying){r->name, &r->what, r->addresses, r->ids, r->matched};
}

void import_rule_write(const struct import_rule *r, FILE *f)
{
    const struct saying s = saying_of(r);

    saying_write(&s, f);
}

bool import_rule_parse(struct import_rule *r)
{
    CLEANUP_FREE char *why = NULL;
    const struct saying s = saying_of(r);

    policy_done(&r->parsed);
    return saying_parse(&s, &r->parsed, &why) == 0;
}

/* -- names -- */

/* Sections with the same name are one rule, even in different files. */
static bool name_is_taken(const struct found *f, const struct import_rules *all, const char *name)
{
    for (size_t i = 0; i < f->s->policy.n_rules; i++)
        if (streq(f->s->policy.rules[i].name, name))
            return true;
    for (size_t i = 0; i < all->n; i++)
        if (streq(all->v[i].name, name))
            return true;
    return false;
}

/* The name is made from the selection: "06:00.0", "10de:20f1-10de:1463". */
static void name_rule(const struct found *f, const struct import_rules *all,
                      const struct import_rule *r, char ret[static RULE_NAME_MAX + 1])
{
    const struct selection *s = &r->what;
    char base[96]; /* may be longer than a name can be */
    const char *address = after_prefix(s->address, "0000:");
    unsigned n = 1;

    snprintf(base, sizeof(base), "%s%s%s%s%s%s%s", address ? address : s->address,
             *s->address && *s->id ? "-" : "", s->id, *s->subsystem ? "-" : "", s->subsystem,
             *s->class ? "-class-" : "", s->class);
    for (char *c = base; *c; c++)
        if (*c == '*' || *c == '?')
            *c = 'x';
        else if (!is_name_char(*c) && *c != ':')
            *c = '_';
    const char *begin = base + strspn(base, "-");
    snprintf(ret, RULE_NAME_MAX + 1, "%.56s", *begin ? begin : "rule");
    while (name_is_taken(f, all, ret))
        snprintf(ret, RULE_NAME_MAX + 1, "%.48s-%u", begin, ++n);
}

struct import_rule *import_rules_append(struct found *f, struct import_rules *all,
                                        struct import_rule *r)
{
    CLEANUP_FREE char *why = NULL;

    name_rule(f, all, r, r->name);
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
