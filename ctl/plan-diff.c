/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan-diff.h"

#include <errno.h>

#include "plan/assume.h"
#include "plan/text.h"
#include "table.h"

void change_done(struct change *c)
{
    plan_done(&c->plan);
    policy_done(&c->policy);
    diags_done(&c->diags);
}

int change_make(struct source *s, const char *name, char *bytes, size_t size, struct change *ret)
{
    int r = texts_replace_main(&s->texts, name, bytes, size);

    *ret = (struct change){0};
    if (r < 0) {
        free(bytes);
        return r;
    }
    return change_plan(s, ret);
}

int change_plan(struct source *s, struct change *ret)
{
    bool off;

    *ret = (struct change){0};
    policy_init(&ret->policy);
    int r = texts_parse(&s->texts, &ret->policy, &ret->diags, &off);
    if (r >= 0)
        r = plan_assume(&ret->policy, &s->snapshot, &s->records);
    return r < 0 ? r : source_plan(s, &ret->policy, &ret->plan);
}

static bool differs(const struct verdict *a, const struct verdict *b)
{
    return !a != !b ||
           (a && (!streq(a->rule->name, b->rule->name) || !streq(a->driver, b->driver) ||
                  a->state != b->state || a->reason != b->reason || a->usable != b->usable ||
                  a->problems != b->problems));
}

/* Devices that the new policy drops. The daemon hands back only those that it bound itself, which
 * is not known here. */
static void print_dropped(const struct source *s, const struct verdict *v)
{
    const struct device *d = snapshot_find(&s->snapshot, v->addr);
    char text[256];

    if (d && driver_is_vfio(d->driver))
        snprintf(
            text, sizeof(text),
            "%s no rule names it any more: if vfio-bindd bound it to %s, a reload hands it back "
            "to its native driver, unless somebody has it open",
            pci_addr_text(d->addr).s, d->driver);
    else
        snprintf(text, sizeof(text), "%s no rule names it any more: it stays %s%s",
                 pci_addr_text(d->addr).s, d->driver ? "on " : "without a driver",
                 d->driver ? d->driver : "");
    ctl_wrap(stdout, text, 2, 4);
}

static void print_sign(const struct source *s, char sign)
{
    ctl_colour(s->ctl, sign == '+' ? CTL_GREEN : sign == '-' ? CTL_RED : CTL_YELLOW);
    putchar(sign);
    ctl_colour(s->ctl, CTL_PLAIN);
    putchar(' ');
}

static void print_verdict(const struct source *s, const struct verdict *v)
{
    char text[SENTENCE_MAX];

    verdict_sentence(v, &s->snapshot, &s->records, text);
    ctl_wrap(stdout, text, 2, 4);
    problem_sentence(v, &s->snapshot, text);
    if (!*text)
        return;
    fputs("    ", stdout);
    ctl_wrap(stdout, text, 4, 4);
}

void change_print(const struct source *s, const struct change *c)
{
    size_t n = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        struct pci_addr a = s->snapshot.devices[i].addr;
        const struct verdict *old = plan_find(&s->plan, a);
        const struct verdict *new = plan_find(&c->plan, a);
        if (!differs(old, new))
            continue;
        if (n++ == 0)
            puts("What changes (+ newly selected, - no longer, ~ otherwise):");
        print_sign(s, !old ? '+' : !new ? '-' : '~');
        if (new)
            print_verdict(s, new);
        else
            print_dropped(s, old);
    }
    if (n == 0)
        puts("Compared with the policy files as they are now, this makes no difference.");
}

static const char *change_word(const struct verdict *old, const struct verdict *new)
{
    return !old ? "selected" : !new ? "dropped" : differs(old, new) ? "changed" : "same";
}

static void write_json_verdict(FILE *f, const struct source *s, const struct verdict *old,
                               const struct verdict *new, bool compare)
{
    const struct verdict *v = new ? new : old;
    char text[SENTENCE_MAX];

    fprintf(f, "{\"address\": \"%s\"", pci_addr_text(v->addr).s);
    if (compare) {
        fprintf(f, ", \"change\": \"%s\", \"oldrule\": ", change_word(old, new));
        json_string(f, old ? old->rule->name : NULL);
    }
    fputs(", \"rule\": ", f);
    json_string(f, new ? new->rule->name : NULL);
    fputs(", \"state\": ", f);
    json_string(f, new ? state_word(new->state) : NULL);
    fputs(", \"reason\": ", f);
    json_string(f, new &&new->reason ? reason_word(new->reason) : NULL);
    fprintf(f, ", \"usable\": %s, \"sentence\": ", new &&new->usable ? "true" : "false");
    if (new)
        verdict_sentence(new, &s->snapshot, &s->records, text);
    json_string(f, new ? text : NULL);
    fputc('}', f);
}

char *plan_diff_json(const struct source *s, const struct policy *old_policy,
                     const struct plan *old, const struct plan *new)
{
    char *text = NULL;
    const char *separator = "\n      ";
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fputs("\"devices\": [", f);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        struct pci_addr a = s->snapshot.devices[i].addr;
        const struct verdict *before = old_policy ? plan_find(old, a) : NULL;
        const struct verdict *after = plan_find(new, a);
        if (!before && !after)
            continue;
        fputs(separator, f);
        separator = ",\n      ";
        write_json_verdict(f, s, before, after, old_policy != NULL);
    }
    fputs("\n   ]", f);
    return fclose(f) == 0 ? text : NULL;
}
