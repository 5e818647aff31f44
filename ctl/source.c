/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source.h"

#include <errno.h>

#include "host/reset-methods.h"
#include "plan/assume.h"
#include "plan/make.h"
#include "policy/parse.h"

void row_done(struct row *r)
{
    free(r->vendor);
    free(r->name);
    free(r->class);
    free(r->problems);
    free(r->sentence);
    free(r->problem);
}

void source_done(struct source *s)
{
    for (size_t i = 0; s->rows && i < s->snapshot.n; i++)
        row_done(&s->rows[i]);
    free(s->rows);
    free(s->boot_displays);
    names_free(s->names);
    live_done(&s->live);
    plan_done(&s->plan);
    records_done(&s->records);
    snapshot_done(&s->snapshot);
    policy_done(&s->policy);
    diags_done(&s->diags);
    texts_done(&s->texts);
    if (s->root_fd >= 0)
        close(s->root_fd);
}

int source_add_boot_display(struct source *s, struct pci_addr a)
{
    struct pci_addr *v =
        reallocarray(s->boot_displays, s->n_boot_displays + 1, sizeof(*s->boot_displays));

    if (!v)
        return -ENOMEM;
    s->boot_displays = v;
    v[s->n_boot_displays++] = a;
    return 0;
}

int source_plan(struct source *s, const struct policy *p, struct plan *ret)
{
    int r = plan_assume(p, &s->snapshot, &s->records);

    if (r < 0)
        return r;
    if (s->root_fd >= 0)
        r = reset_methods_note(s->root_fd, p, &s->snapshot, &s->records);
    if (r < 0)
        return r;
    if (s->dynids)
        dynids_follow(&s->records.dynids, snapshot_order(&s->snapshot, DYNID_DRIVER));
    return plan_make(p, &s->snapshot, &s->records, ret);
}

/* Judges the device as if a rule named it. */
static bool would_be_usable(struct source *s, struct pci_addr a)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    char text[96];

    policy_init(&p);
    snprintf(text, sizeof(text), "[device x]\naddress = %s\ngroup = matched\n", pci_addr_text(a).s);
    if (policy_parse(&p, "", text, strlen(text), &d) < 0)
        return false;
    policy_finish(&p, &d);
    if (source_plan(s, &p, &plan) < 0)
        return false;
    const struct verdict *v = plan_find(&plan, a);
    return v && v->usable;
}

bool source_is_usable(struct source *s, const struct row *r)
{
    return r->selected || s->remote ? r->usable : would_be_usable(s, r->d->addr);
}
