/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/search.h"

static int by_group(const void *x, const void *y)
{
    const struct group_member *a = x, *b = y;

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return pci_addr_cmp(a->addr, b->addr);
}

int groups_make(const struct snapshot *s, struct groups *ret)
{
    struct group_member *v = calloc(s->n + 1, sizeof(*v)); /* calloc(0) may return NULL */
    bool sorted = true;
    size_t n = 0;

    if (!v)
        return -ENOMEM;
    for (size_t i = 0; i < s->n; i++) {
        const struct device *d = &s->devices[i];
        if (d->group == NO_GROUP)
            continue;
        v[n] = (struct group_member){d->group, (uint32_t)i, d->addr};
        sorted = sorted && (n == 0 || v[n - 1].group <= d->group);
        n++;
    }
    if (!sorted)
        qsort(v, n, sizeof(*v), by_group);
    *ret = (struct groups){v, n};
    return 0;
}

void groups_done(struct groups *g)
{
    free(g->v);
    *g = (struct groups){0};
}

static int compare_group(const void *key, const void *element)
{
    const uint32_t *group = key;
    const struct group_member *member = element;

    return (*group > member->group) - (*group < member->group);
}

size_t groups_start(const struct groups *g, uint32_t group)
{
    return lower_bound(&group, g->v, g->n, sizeof(*g->v), compare_group);
}

const struct group_member *groups_next(const struct groups *g, uint32_t group, size_t *i)
{
    if (group == NO_GROUP || *i >= g->n || g->v[*i].group != group)
        return NULL;
    return &g->v[(*i)++];
}
