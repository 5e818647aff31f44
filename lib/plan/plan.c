/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/plan.h"

#include <assert.h>

static void names_done(struct plan_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->v[i]);
    free(names->v);
    *names = (struct plan_names){0};
}

void plan_leave_out(struct plan *p, enum phase first, enum phase last)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->n_actions; i++)
        if (p->actions[i].phase < first || p->actions[i].phase > last)
            p->actions[kept++] = p->actions[i];
    p->n_actions = kept;
}

void plan_forget_actions(struct plan *p)
{
    free(p->actions);
    free(p->dynids);
    p->actions = NULL;
    p->dynids = NULL;
    p->n_actions = 0;
}

void plan_done(struct plan *p)
{
    plan_forget_actions(p);
    free(p->verdicts);
    free(p->vfs);
    groups_done(&p->groups);
    rules_done(&p->rules);
    names_done(&p->names);
    *p = (struct plan){0};
}

bool device_is_good(enum device_state state, bool usable, const char *driver, bool at_work)
{
    return state == STATE_RELEASED || (state == STATE_PENDING && at_work) ||
           (state == STATE_BOUND && (usable || !driver_is_vfio(driver)));
}

bool plan_is_undecided(const struct policy *p, const struct snapshot *s, const struct device *d)
{
    size_t i = (size_t)(d - s->devices);

    assert(i < s->n);

    while (i > 0 && pci_addr_same_slot(s->devices[i - 1].addr, d->addr))
        i--;
    for (; i < s->n && pci_addr_same_slot(s->devices[i].addr, d->addr); i++)
        if (policy_is_undecided(p, &s->devices[i]))
            return true;
    return false;
}

const struct verdict *plan_find(const struct plan *p, struct pci_addr a)
{
    return p->n_verdicts > 0
               ? bsearch(&a, p->verdicts, p->n_verdicts, sizeof(*p->verdicts), pci_addr_compare)
               : NULL;
}

const struct vfs_verdict *plan_find_vfs(const struct plan *p, struct pci_addr a)
{
    return p->n_vfs > 0 ? bsearch(&a, p->vfs, p->n_vfs, sizeof(*p->vfs), pci_addr_compare) : NULL;
}

bool plan_vf_is_kept_back(const struct plan *p, const struct snapshot *s, const struct records *r,
                          const struct device *d)
{
    const struct device *pf = d->vf && !d->driver ? snapshot_find(s, d->pf) : NULL;
    const struct record *known = pf && pf->autoprobe_off ? records_find(r, pf->addr) : NULL;

    return known && known->vfs.autoprobe_off && d->unknown.fact == FACT_NONE &&
           !plan_find(p, d->addr);
}

/* Native drivers may still be loaded while the host boots. */
bool vfs_are_good(const struct vfs_verdict *v, bool booting)
{
    return v->state == STATE_BOUND || v->state == STATE_RELEASED ||
           (v->state == STATE_PENDING && (v->reason == REASON_NONE || booting));
}

int plan_count_matched(const struct plan *p, const struct rule *r)
{
    int n = 0;

    for (size_t i = 0; i < p->n_verdicts; i++)
        n += p->verdicts[i].rule == r && !p->verdicts[i].comes_along;
    return n;
}

bool plan_is_unexpected(const struct plan *p, const struct rule *r)
{
    return r->expect >= 0 && plan_count_matched(p, r) != r->expect;
}
