/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/index.h"

#include <stdlib.h>

#include "base/search.h"

/* An entry is a number made of kind, vendor, device and rule. In sorted order the rules of one ID
 * are adjacent, the earliest first. */
enum kind { DEVICE, VENDOR, ANYTHING, KINDS };
#define RULE_BITS 24

static uint64_t key_of(enum kind kind, struct id_pattern id)
{
    return (uint64_t)kind << 56 | (uint64_t)(kind == ANYTHING ? 0 : id.vendor) << 40 |
           (uint64_t)(kind == DEVICE ? id.device : 0) << RULE_BITS;
}

static size_t rule_of(uint64_t entry)
{
    return entry & ((1U << RULE_BITS) - 1);
}

static int by_value(const void *x, const void *y)
{
    const uint64_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

void rule_index_done(struct rule_index *x)
{
    free(x->v);
    *x = (struct rule_index){0};
}

void rule_index_make(struct rule_index *x, const struct rule *rules, size_t n)
{
    size_t room = 0;

    rule_index_done(x);
    x->rules = rules;
    x->n_rules = n;
    for (size_t i = 0; i < n; i++)
        room += rules[i].n_ids > 0 ? rules[i].n_ids : 1;
    x->v = room > 0 ? calloc(room, sizeof(*x->v)) : NULL;
    if (!x->v)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &rules[i];
        if (r->n_ids == 0)
            x->v[x->n++] = key_of(ANYTHING, (struct id_pattern){0}) | i;
        for (size_t k = 0; k < r->n_ids; k++)
            x->v[x->n++] = key_of(r->ids[k].any_device ? VENDOR : DEVICE, r->ids[k]) | i;
    }
    qsort(x->v, x->n, sizeof(*x->v), by_value);
}

struct candidates candidates_of(const struct rule_index *x, struct id_pattern id)
{
    struct candidates c = {.index = x};

    if (!x->v)
        return c;
    for (enum kind k = id.any_device ? VENDOR : DEVICE; k < KINDS; k++) {
        c.key[k] = key_of(k, id);
        c.at[k] = lower_bound(&c.key[k], x->v, x->n, sizeof(*x->v), by_value);
    }
    if (id.any_device)
        c.at[DEVICE] = x->n;
    return c;
}

static bool is_of_key(const struct candidates *c, enum kind k)
{
    const struct rule_index *x = c->index;

    return c->at[k] < x->n && x->v[c->at[k]] - c->key[k] < 1U << RULE_BITS;
}

const struct rule *candidates_next(struct candidates *c)
{
    const struct rule_index *x = c->index;
    enum kind first = KINDS;

    if (!x->v)
        return c->at[0] < x->n_rules ? &x->rules[c->at[0]++] : NULL;
    for (enum kind k = 0; k < KINDS; k++)
        if (is_of_key(c, k) &&
            (first == KINDS || rule_of(x->v[c->at[k]]) < rule_of(x->v[c->at[first]])))
            first = k;
    return first == KINDS ? NULL : &x->rules[rule_of(x->v[c->at[first]++])];
}
