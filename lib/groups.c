/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "groups.h"

#include <errno.h>
#include <stdlib.h>

static int by_group(const void *x, const void *y, void *devices)
{
    const struct device *v = devices, *a = &v[*(const uint32_t *)x], *b = &v[*(const uint32_t *)y];

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a > b) - (a < b);
}

int groups_make(const struct snapshot *s, struct groups *ret)
{
    const struct device *d = s->devices;
    uint32_t *v = calloc(s->n + 1, sizeof(*v)); /* so that it is not empty */
    bool sorted = true;

    if (!v)
        return -ENOMEM;
    for (size_t i = 0; i < s->n; i++) {
        v[i] = (uint32_t)i;
        sorted = sorted && (i == 0 || d[i - 1].group <= d[i].group);
    }
    if (!sorted)
        qsort_r(v, s->n, sizeof(*v), by_group, s->devices);
    *ret = (struct groups){s, v};
    return 0;
}

void groups_done(struct groups *g)
{
    free(g->v);
    *g = (struct groups){0};
}

size_t groups_start(const struct groups *g, uint32_t group)
{
    size_t low = 0, high = g->snapshot->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->snapshot->devices[g->v[middle]].group < group)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct device *groups_next(const struct groups *g, uint32_t group, size_t *i)
{
    if (group == NO_GROUP || *i >= g->snapshot->n)
        return NULL;
    const struct device *d = &g->snapshot->devices[g->v[*i]];
    if (d->group != group)
        return NULL;
    ++*i;
    return d;
}
