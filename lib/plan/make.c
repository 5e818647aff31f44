/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/make.h"

#include <assert.h>
#include <errno.h>

#include "base/util.h"
#include "plan/actions.h"
#include "plan/judge.h"
#include "plan/select.h"
#include "plan/vfs.h"

/* Sorts the verdicts by address, since those of companions were added last. */
static void sort_verdicts(struct builder *b)
{
    const struct snapshot *s = b->snapshot;
    bool sorted = true;
    size_t at = 0;

    for (size_t i = 1; i < b->n_verdicts; i++)
        sorted = sorted && b->devices[i - 1] < b->devices[i];
    if (sorted)
        return;
    qsort(b->verdicts, b->n_verdicts, sizeof(*b->verdicts), pci_addr_compare);
    for (size_t i = 0; i < s->n; i++) /* the snapshot is sorted by address */
        if (b->index[i] >= 0) {
            b->devices[at] = i;
            b->index[i] = (int)at++;
        }
    assert(at == b->n_verdicts);
}

/* -- what the plan keeps -- */

/* Replaces a name by the plan's own copy. There are only a few different ones. */
static bool keep_name(struct plan_names *names, const char **name)
{
    for (size_t i = 0; *name && i < names->n; i++)
        if (streq(names->v[i], *name)) {
            *name = names->v[i];
            return true;
        }
    if (!*name)
        return true;
    if (!grow(&names->v, &names->allocated, names->n, sizeof(*names->v)))
        return false;
    *name = names->v[names->n] = strdup(*name);
    return *name && ++names->n;
}

static bool keep_names(const struct plan *p, struct plan_names *names)
{
    bool good = true;

    for (size_t i = 0; i < p->n_verdicts && good; i++) {
        struct verdict *v = &p->verdicts[i];
        good = keep_name(names, &v->driver) && keep_name(names, &v->other_driver) &&
               keep_name(names, &v->earlier);
    }
    for (size_t i = 0; i < p->n_actions && good; i++)
        good = keep_name(names, &p->actions[i].driver);
    return good;
}

int plan_make(const struct policy *p, const struct snapshot *s, const struct records *r,
              struct plan *ret)
{
    CLEANUP(builder_done) struct builder b = {.policy = p, .snapshot = s, .records = r};

    if (!builder_init(&b))
        return -ENOMEM;
    plan_select(&b);
    sort_verdicts(&b);
    plan_judge(&b);
    plan_judge_vfs(&b);
    if (b.out_of_memory)
        return -ENOMEM;
    plan_add_actions(&b);

    struct plan plan = {.verdicts = b.verdicts,
                        .n_verdicts = b.n_verdicts,
                        .vfs = b.vfs,
                        .n_vfs = b.n_vfs,
                        .actions = b.actions,
                        .n_actions = b.n_actions,
                        .dynids = b.dynids,
                        .groups = b.groups};

    b.verdicts = NULL;
    b.vfs = NULL;
    b.actions = NULL;
    b.dynids = NULL;
    b.groups.v = NULL;
    if (!keep_names(&plan, &plan.names)) {
        plan_done(&plan);
        return -ENOMEM;
    }
    plan.rules = policy_keep_rules(p);
    *ret = plan;
    return 0;
}
