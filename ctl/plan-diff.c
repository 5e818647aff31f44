/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan-diff.h"

#include <errno.h>

#include "plan/text.h"

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
    return r < 0 ? r : source_plan(s, &ret->policy, &ret->plan);
}

/* -- in what two verdicts differ -- */

struct difference {
    const char *what;
    char old[160], new[160]; /* "": none */
};

#define DIFFERENCES_MAX 7

/* Problems of the rule as a whole are reported once, not for each device. Problems of devices that
 * are plugged in later are left out. */
static void verdict_problems(const struct verdict *v, char buf[static 160])
{
    unsigned problems =
        v->problems & ~(unsigned)(PROBLEM_EXPECT_MISMATCH | PROBLEM_DYNAMIC_ID_INEFFECTIVE);
    size_t at = 0;

    buf[0] = '\0';
    for (unsigned bit = 1; bit < PROBLEM_MAX && at < 160; bit <<= 1)
        if (problems & bit)
            at += (size_t)snprintf(buf + at, 160 - at, "%s%s", at ? " " : "",
                                   problem_word((enum problem)bit));
}

static void add_difference(struct difference *v, size_t *n, const char *what, const char *old,
                           const char *new)
{
    old = old ? old : "";
    new = new ? new : "";
    if (streq(old, new))
        return;
    v[*n].what = what;
    snprintf(v[*n].old, sizeof(v[*n].old), "%s", old);
    snprintf(v[*n].new, sizeof(v[*n].new), "%s", new);
    ++*n;
}

/* Returns the number of differences; 0 if one of the two is NULL. */
static size_t find_differences(const struct verdict *a, const struct verdict *b,
                               struct difference v[static DIFFERENCES_MAX])
{
    char old[160], new[160];
    size_t n = 0;

    if (!a || !b)
        return 0;
    add_difference(v, &n, "rule", a->rule->name, b->rule->name);
    add_difference(v, &n, "driver", a->driver, b->driver);
    add_difference(v, &n, "resource", a->rule->resource, b->rule->resource);
    add_difference(v, &n, "state", state_word(a->state), state_word(b->state));
    add_difference(v, &n, "reason", reason_word(a->reason), reason_word(b->reason));
    add_difference(v, &n, "usable", a->usable ? "yes" : "no", b->usable ? "yes" : "no");
    verdict_problems(a, old);
    verdict_problems(b, new);
    add_difference(v, &n, "problems", old, new);
    return n;
}

static bool differs(const struct verdict *a, const struct verdict *b)
{
    struct difference v[DIFFERENCES_MAX];

    return !a != !b || find_differences(a, b, v) > 0;
}

/* -- in words -- */

/* Prints devices that the new policy no longer selects. The daemon hands back only those that it
 * bound itself, which is not known here. */
static void print_dropped(const struct source *s, const struct verdict *v)
{
    const struct device *d = snapshot_find(&s->snapshot, v->addr);
    char text[256];

    if (d && driver_is_vfio(d->driver))
        snprintf(text, sizeof(text),
                 "%s no longer selected: if vfio-bindd bound it to %s, a reload hands it back to "
                 "its native driver, unless it is in use",
                 pci_addr_text(d->addr).s, d->driver);
    else
        snprintf(text, sizeof(text), "%s no longer selected: it stays %s%s",
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

static void print_verdict(const struct source *s, const struct verdict *v, unsigned at)
{
    char text[SENTENCE_MAX];

    verdict_sentence(v, &s->snapshot, &s->records, text);
    ctl_wrap(stdout, text, at, 4);
    problem_sentence(v, &s->snapshot, text);
    if (!*text)
        return;
    fputs("    ", stdout);
    ctl_wrap(stdout, text, 4, 4);
}

/* "rule a100 -> vm, state bound -> refused" */
static void print_differences(struct pci_addr a, const struct difference *v, size_t n)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return;
    fputs(pci_addr_text(a).s, f);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s %s %s -> %s", i ? "," : ":", v[i].what, *v[i].old ? v[i].old : "none",
                *v[i].new ? v[i].new : "none");
    if (fclose(f) == 0)
        ctl_wrap(stdout, text, 2, 4);
}

static void print_device_change(const struct source *s, const struct verdict *old,
                                const struct verdict *new)
{
    struct difference v[DIFFERENCES_MAX];
    size_t n = find_differences(old, new, v);

    print_sign(s, !old ? '+' : !new ? '-' : '~');
    if (!new) {
        print_dropped(s, old);
        return;
    }
    if (n > 0) {
        print_differences(new->addr, v, n);
        fputs("    ", stdout);
    }
    print_verdict(s, new, n > 0 ? 4 : 2);
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
            puts("Changes (+ newly selected, - no longer selected, ~ different):");
        print_device_change(s, old, new);
    }
    if (n == 0)
        puts("This changes nothing for any device.");
}

size_t change_count_trouble(const struct source *s, const struct change *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->plan.n_verdicts; i++) {
        const struct verdict *v = &c->plan.verdicts[i];
        const struct device *d = snapshot_find(&s->snapshot, v->addr);
        n += v->state != STATE_PENDING &&
             !device_is_good(v->state, v->usable, d ? d->driver : NULL, true);
    }
    for (size_t i = 0; i < c->policy.n_rules; i++)
        n += plan_is_unexpected(&c->plan, &c->policy.rules[i]);
    return n;
}

/* -- JSON -- */

static const char *change_word(const struct verdict *old, const struct verdict *new)
{
    return !old ? "selected" : !new ? "dropped" : differs(old, new) ? "changed" : "same";
}

static void add_verdict_json(struct json *j, const struct source *s, const struct verdict *v)
{
    char text[SENTENCE_MAX];

    json_text(j, "rule", v ? v->rule->name : NULL);
    json_text(j, "companion_of", v && v->comes_along ? pci_addr_text(v->leader).s : NULL);
    json_text(j, "driver", v ? v->driver : NULL);
    json_text(j, "state", v ? state_word(v->state) : NULL);
    json_text(j, "reason", v ? reason_word(v->reason) : NULL);
    json_bool(j, "usable", v && v->usable);
    if (v)
        verdict_sentence(v, &s->snapshot, &s->records, text);
    json_text(j, "sentence", v ? text : NULL);
}

static void add_changes_json(struct json *j, const struct verdict *old, const struct verdict *new)
{
    struct difference v[DIFFERENCES_MAX];
    size_t n = find_differences(old, new, v);

    json_array(j, "changes");
    for (size_t i = 0; i < n; i++) {
        json_object(j, NULL);
        json_text(j, "what", v[i].what);
        json_text(j, "old", v[i].old);
        json_text(j, "new", v[i].new);
        json_end(j);
    }
    json_end(j);
}

void plan_json_devices(struct json *j, const struct source *s, const struct plan *old,
                       const struct plan *plan)
{
    json_array(j, "devices");
    for (size_t i = 0; i < s->snapshot.n; i++) {
        struct pci_addr a = s->snapshot.devices[i].addr;
        const struct verdict *before = old ? plan_find(old, a) : NULL;
        const struct verdict *after = plan_find(plan, a);
        if (!before && !after)
            continue;
        json_object(j, NULL);
        json_text(j, "address", pci_addr_text(a).s);
        json_text(j, "change", old ? change_word(before, after) : NULL);
        add_changes_json(j, before, after);
        add_verdict_json(j, s, after);
        json_end(j);
    }
    json_end(j);
}
