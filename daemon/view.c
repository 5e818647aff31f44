/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

#include "plan/make.h"

int view_plan(struct view *view)
{
    struct plan new;

    /* While the list of drivers cannot be read, the table of dynamic IDs does not count as lost. */
    if (view->snapshot.n_registered > 0 || view->snapshot.unknown.fact == FACT_NONE)
        dynids_follow(&view->records.dynids, snapshot_order(&view->snapshot, DYNID_DRIVER));
    plan_forget_actions(&view->plan);
    int r = plan_make(&view->policy, &view->snapshot, &view->records, &new);
    if (r < 0)
        return r;
    plan_done(&view->plan);
    view->plan = new;
    return 0;
}

void view_clear(struct view *view)
{
    plan_done(&view->plan);
    records_done(&view->records);
    snapshot_done(&view->snapshot);
    policy_done(&view->policy);
    for (size_t i = 0; i < view->n_errors; i++)
        free(view->errors[i]);
    free(view->errors);
}
