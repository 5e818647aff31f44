/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan: what would be done now; with another policy, and how that differs. */
#include "open.h"
#include "plan-diff.h"
#include "plan/text.h"
#include "table.h"

/* -- what one plan does -- */

static void print_actions(const struct plan *p)
{
    if (p->n_actions == 0)
        puts("Nothing is to be done.");
    else
        printf("To be done, in this order:\n");
    for (size_t i = 0; i < p->n_actions; i++) {
        const struct action *a = &p->actions[i];
        printf("  %s %-8s %s%s\n", pci_addr_text(a->addr).s, action_word(a->kind), a->driver,
               a->phase >= PHASE_REBIND ? " (after everything else)" : "");
    }
}

static void print_verdicts(const struct source *s, const struct plan *p)
{
    char text[SENTENCE_MAX];

    printf("Devices that rules concern: %zu\n", p->n_verdicts);
    for (size_t i = 0; i < p->n_verdicts; i++) {
        verdict_sentence(&p->verdicts[i], &s->snapshot, &s->records, text);
        fputs("  ", stdout);
        ctl_wrap(stdout, text, 2, 4);
        problem_sentence(&p->verdicts[i], &s->snapshot, text);
        if (*text) {
            fputs("    ", stdout);
            ctl_wrap(stdout, text, 4, 4);
        }
    }
}

static int print_plan_json(const struct source *s, const struct plan *p, const struct policy *old,
                           const struct plan *before)
{
    static const struct column columns[] = {
        {"ADDRESS", 0, 0, SCOLS_JSON_STRING},
        {"PHASE", 0, 0, SCOLS_JSON_NUMBER},
        {"ACTION", 0, 0, SCOLS_JSON_STRING},
        {"DRIVER", 0, 0, SCOLS_JSON_STRING},
    };
    CLEANUP(table_done) struct table t = {0};
    CLEANUP_FREE char *head = plan_diff_json(s, old, before, p);

    table_init(&t, s->ctl, "actions", columns, ELEMENTS(columns));
    for (size_t i = 0; i < p->n_actions; i++) {
        struct libscols_line *line = table_line(&t, NULL);
        char phase[12];
        snprintf(phase, sizeof(phase), "%d", (int)p->actions[i].phase);
        table_set(&t, line, 0, pci_addr_text(p->actions[i].addr).s);
        table_set(&t, line, 1, phase);
        table_set(&t, line, 2, action_word(p->actions[i].kind));
        table_set(&t, line, 3, p->actions[i].driver);
    }
    if (!head)
        t.failed = true;
    return table_print_after(&t, head ? head : "");
}

static int plan_running(const struct source *s)
{
    diags_print(&s->diags, stderr);
    if (s->n_assumed > 0)
        ctl_note(s->ctl,
                 "a driver that the policy names is not loaded: it is assumed that it can be");
    if (s->off)
        ctl_note(s->ctl, "disabled by the kernel command line: nothing of this would be done");
    if (s->ctl->json)
        return print_plan_json(s, &s->plan, NULL, NULL);
    print_actions(&s->plan);
    print_verdicts(s, &s->plan);
    return s->diags.errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* -- with another policy -- */

static int plan_changed(struct source *s, const char *path)
{
    CLEANUP(change_done) struct change change = {0};
    char *bytes;
    size_t size;
    int r = source_read_policy(path, &bytes, &size);

    if (r != 0)
        return r;
    r = change_make(s, path, bytes, size, &change);
    if (r < 0)
        return ctl_errno(r);
    diags_print(&change.diags, stderr);
    if (change.diags.errors > 0)
        return ctl_error("%zu error%s: a reload would refuse this policy, and the one in force "
                         "would stay",
                         change.diags.errors, change.diags.errors == 1 ? "" : "s");
    if (s->ctl->json)
        return print_plan_json(s, &change.plan, &s->policy, &s->plan);
    change_print(s, &change);
    print_actions(&change.plan);
    return EXIT_SUCCESS;
}

int verb_plan(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    return c->policy ? plan_changed(&s, c->policy) : plan_running(&s);
}
