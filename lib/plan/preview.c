/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/preview.h"

#include "base/util.h"
#include "plan/alike.h"
#include "plan/text.h"
#include "plan/vfs-text.h"

/* A placeholder that is set only while dynamic IDs are added is not shown. */
static bool is_work(const struct action *a)
{
    return !action_is_dynid(a->kind) && a->kind != ACTION_SET_PLACEHOLDER &&
           a->kind != ACTION_CLEAR_PLACEHOLDER;
}

static const struct action *first_action(const struct plan *p, struct pci_addr a)
{
    for (size_t i = 0; i < p->n_actions; i++)
        if (is_work(&p->actions[i]) && pci_addr_cmp(p->actions[i].addr, a) == 0)
            return &p->actions[i];
    return NULL;
}

/* Appends the actions for a device that keeps its driver: "; to be done: ...". */
static void preview_words(const struct plan *p, struct pci_addr a, FILE *f)
{
    const char *separator = "; to be done: ";

    for (size_t i = 0; i < p->n_actions; i++) {
        if (!is_work(&p->actions[i]) || pci_addr_cmp(p->actions[i].addr, a) != 0)
            continue;
        fprintf(f, "%s%s", separator, action_word(p->actions[i].kind));
        separator = ", ";
    }
}

/* A device whose state has the same reason as another one's gets a reference to that. */
static void preview_verdict(const struct preview *p, const struct verdict *v,
                            const struct device *d, struct told *told, char *text)
{
    const struct device *first = NULL;

    verdict_sentence(v, p->snapshot, p->records, text);
    if (v->state != STATE_BOUND && v->state != STATE_PENDING && v->state != STATE_RELEASED)
        first = told_before(told, d, text);
    if (first)
        verdict_reference(v, d, first->addr, text);
}

/* Why the device is not usable although it is bound. */
static void preview_problem(const struct preview *p, const struct verdict *v,
                            const struct device *d, struct told *told, FILE *f)
{
    char text[SENTENCE_MAX];

    problem_sentence(v, p->snapshot, text);
    const struct device *first = *text ? told_before(told, d, text) : NULL;
    if (first)
        fprintf(f, "    the same as for %s\n", pci_addr_text(first->addr).s);
    else if (*text)
        fprintf(f, "    %s\n", text);
}

static void preview_devices(const struct preview *p, bool with_work, FILE *f)
{
    struct told told = {0}, problems = {0};
    char text[SENTENCE_MAX];

    for (size_t i = 0; i < p->snapshot->n; i++) {
        const struct device *d = &p->snapshot->devices[i];
        const struct action *action = first_action(p->plan, d->addr);
        const struct verdict *v = plan_find(p->plan, d->addr);
        const struct vfs_verdict *vfs = plan_find_vfs(p->plan, d->addr);
        if ((action != NULL) != with_work || (!v && !vfs && !action))
            continue;
        if (v)
            preview_verdict(p, v, d, &told, text);
        else if (vfs)
            vfs_sentence(vfs, p->snapshot, p->records, text);
        else
            action_sentence(action, p->plan, p->snapshot, p->records, text);
        fprintf(f, "  %s", text);
        if (v && v->state != STATE_PENDING && action)
            preview_words(p->plan, d->addr, f);
        fputc('\n', f);
        if (v)
            preview_problem(p, v, d, &problems, f);
        if (v && vfs) {
            vfs_sentence(vfs, p->snapshot, p->records, text);
            fprintf(f, "    %s\n", text);
        }
    }
}

static size_t count_devices(const struct preview *p, bool with_work)
{
    size_t n = 0;

    for (size_t i = 0; i < p->snapshot->n; i++) {
        struct pci_addr a = p->snapshot->devices[i].addr;
        bool work = first_action(p->plan, a) != NULL;
        n += work == with_work && (work || plan_find(p->plan, a) || plan_find_vfs(p->plan, a));
    }
    return n;
}

/* One line for all that are added, and one for all that are removed. */
static void preview_dynids(const struct plan *p, enum action_kind kind, const char *text, FILE *f)
{
    const char *separator = text;

    for (size_t i = 0; i < p->n_actions; i++)
        if (p->actions[i].kind == kind) {
            fprintf(f, "%s%s", separator, dynid_words(p->actions[i].dynid).s);
            separator = "; ";
        }
    fputs(separator == text ? "" : "\n", f);
}

static void write_steps(const struct plan *p, FILE *f)
{
    bool last = false;

    fputs("Step by step:\n", f);
    for (size_t i = 0; i < p->n_actions; i++) {
        const struct action *a = &p->actions[i];
        if (a->phase >= PHASE_REBIND && !last)
            fputs("  after everything else:\n", f);
        last = a->phase >= PHASE_REBIND;
        if (action_is_dynid(a->kind))
            fprintf(f, "  %-12s %s %s\n", a->driver, action_word(a->kind), dynid_words(a->dynid).s);
        else if (a->kind == ACTION_SET_VFS)
            fprintf(f, "  %s %s %u%s\n", pci_addr_text(a->addr).s, action_word(a->kind), a->vfs,
                    a->sets_autoprobe ? " and autoprobe" : "");
        else
            fprintf(f, "  %s %s%s%s\n", pci_addr_text(a->addr).s, action_word(a->kind),
                    *a->driver ? " " : "", a->driver);
    }
}

void preview_write_unmet(const struct policy *policy, const struct plan *plan, FILE *f)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct rule *r = &policy->rules[i];
        if (plan_is_unexpected(plan, r))
            fprintf(f, "[device %s] expects %d device%s and matches %d\n", r->name, r->expect,
                    r->expect == 1 ? "" : "s", plan_count_matched(plan, r));
    }
}

bool preview_is_news(const struct verdict *later, const struct plan *now)
{
    const struct verdict *v = plan_find(now, later->addr);

    return later->reason == REASON_HOST_USE_UNKNOWN && (!v || v->reason != REASON_HOST_USE_UNKNOWN);
}

static void write_next_boot(const struct preview *p, FILE *f)
{
    const char *heading = "At the next boot:\n";
    struct told told = {0};
    char text[SENTENCE_MAX];

    for (size_t i = 0; p->next_boot && i < p->next_boot->n_verdicts; i++) {
        const struct verdict *v = &p->next_boot->verdicts[i];
        const struct device *d = snapshot_find(p->snapshot, v->addr);
        if (!preview_is_news(v, p->plan) || !d)
            continue;
        preview_verdict(p, v, d, &told, text);
        fprintf(f, "%s  %s\n", heading, text);
        heading = "";
    }
}

void preview_write(const struct preview *p, FILE *f)
{
    size_t work = count_devices(p, true), rest = count_devices(p, false);

    if (p->plan->n_actions == 0)
        fputs("Nothing to do.\n", f);
    else
        fprintf(f, "To do (%zu device%s):\n", work, work == 1 ? "" : "s");
    preview_devices(p, true, f);
    preview_dynids(p->plan, ACTION_NEW_ID,
                   "  " DYNID_DRIVER " takes devices that are plugged in as ", f);
    preview_dynids(p->plan, ACTION_REMOVE_ID,
                   "  " DYNID_DRIVER " leaves alone devices that are plugged in as ", f);
    if (p->steps && p->plan->n_actions > 0)
        write_steps(p->plan, f);
    if (rest > 0 && !p->work_only)
        fprintf(f, "Current state (%zu device%s):\n", rest, rest == 1 ? "" : "s");
    if (!p->work_only)
        preview_devices(p, false, f);
    preview_write_unmet(p->policy, p->plan, f);
    write_next_boot(p, f);
}
