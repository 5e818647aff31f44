/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/builder.h"

#include <assert.h>

const struct device *plan_device_of(const struct builder *b, const struct verdict *v)
{
    size_t i = (size_t)(v - b->verdicts);

    assert(i < b->n_verdicts && b->devices[i] < b->snapshot->n);
    return &b->snapshot->devices[b->devices[i]];
}

size_t plan_index_of(const struct builder *b, const struct device *d)
{
    assert(d >= b->snapshot->devices && d < b->snapshot->devices + b->snapshot->n);
    return (size_t)(d - b->snapshot->devices);
}

struct verdict *plan_verdict_of(const struct builder *b, const struct device *d)
{
    int i = b->index[plan_index_of(b, d)];

    assert(i < (int)b->n_verdicts);
    return i < 0 ? NULL : &b->verdicts[i];
}

const struct device *plan_next_member(const struct builder *b, uint32_t group, size_t *i)
{
    const struct group_member *m = groups_next(&b->groups, group, i);

    assert(!m || m->index < b->snapshot->n);
    return m ? &b->snapshot->devices[m->index] : NULL;
}

const struct record *plan_record_of(const struct builder *b, const struct device *d)
{
    return b->known[plan_index_of(b, d)];
}

struct action *plan_new_action(struct builder *b)
{
    assert(b->n_actions < b->actions_max);
    return &b->actions[b->n_actions++];
}

void plan_add_action(struct builder *b, enum phase phase, enum action_kind kind,
                     const struct device *d, const char *driver)
{
    *plan_new_action(b) = (struct action){
        .phase = phase, .kind = kind, .addr = d->addr, .driver = driver, .group = d->group};
}

static bool allocate(struct builder *b)
{
    size_t n = b->snapshot->n + 1; /* calloc(0) may return NULL */

    /* The parts that the plan keeps are allocated first, so that the rest can be returned to the
     * system. */
    if (groups_make(b->snapshot, &b->groups) < 0)
        return false;
    b->verdicts = calloc(n, sizeof(*b->verdicts));
    b->rules = calloc(n, sizeof(*b->rules));
    b->known = calloc(n, sizeof(*b->known));
    b->index = calloc(n, sizeof(*b->index));
    b->devices = calloc(n, sizeof(*b->devices));
    b->removals = calloc(b->records->dynids.n + 1, sizeof(*b->removals));
    /* malloc(), not calloc(), so that unused pages cost no memory. */
    b->dynids_max = DYNIDS_MAX + b->records->dynids.n;
    b->actions_max = 10 * n + b->dynids_max;
    b->dynids = reallocarray(NULL, b->dynids_max, sizeof(*b->dynids));
    b->actions = reallocarray(NULL, b->actions_max, sizeof(*b->actions));
    return b->removals && b->rules && b->known && b->index && b->devices && b->verdicts &&
           b->dynids && b->actions;
}

void builder_done(struct builder *b)
{
    free(b->rules);
    free(b->known);
    free(b->index);
    free(b->devices);
    free(b->removals);
    groups_done(&b->groups);
    free(b->verdicts);
    free(b->vfs);
    free(b->actions);
    free(b->dynids);
    free(b->earlier);
    dynids_done(&b->wanted);
}

bool builder_init(struct builder *b)
{
    if (!allocate(b))
        return false;
    for (size_t i = 0; i < b->snapshot->n; i++)
        b->known[i] = records_find(b->records, b->snapshot->devices[i].addr);
    return true;
}
