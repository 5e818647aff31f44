/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/index.h"

#include "base/util.h"

/* An entry is one number, so that sorting them groups the rules of a key, the earliest first:
 * kind, vendor, device, rule. */
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

void policy_index(struct policy *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_rules; i++)
        n += p->rules[i].n_ids > 0 ? p->rules[i].n_ids : 1;
    free(p->index);
    p->index = n > 0 ? calloc(n, sizeof(*p->index)) : NULL;
    p->n_index = 0;
    if (!p->index)
        return;
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct rule *r = &p->rules[i];
        if (r->n_ids == 0)
            p->index[p->n_index++] = key_of(ANYTHING, (struct id_pattern){0}) | i;
        for (size_t k = 0; k < r->n_ids; k++)
            p->index[p->n_index++] = key_of(r->ids[k].any_device ? VENDOR : DEVICE, r->ids[k]) | i;
    }
    qsort(p->index, n, sizeof(*p->index), by_value);
}

static size_t lower_bound(const struct policy *p, uint64_t key)
{
    size_t low = 0, high = p->n_index;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->index[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct candidates candidates_of(const struct policy *p, struct id_pattern id)
{
    struct candidates c = {.policy = p};

    if (!p->index)
        return c;
    for (enum kind k = id.any_device ? VENDOR : DEVICE; k < KINDS; k++) {
        c.key[k] = key_of(k, id);
        c.at[k] = lower_bound(p, c.key[k]);
    }
    if (id.any_device)
        c.at[DEVICE] = p->n_index;
    return c;
}

static bool is_of_key(const struct candidates *c, enum kind k)
{
    const struct policy *p = c->policy;

    return c->at[k] < p->n_index && p->index[c->at[k]] - c->key[k] < 1U << RULE_BITS;
}

const struct rule *candidates_next(struct candidates *c)
{
    const struct policy *p = c->policy;
    enum kind first = KINDS;

    if (!p->index)
        return c->at[0] < p->n_rules ? &p->rules[c->at[0]++] : NULL;
    for (enum kind k = 0; k < KINDS; k++)
        if (is_of_key(c, k) &&
            (first == KINDS || rule_of(p->index[c->at[k]]) < rule_of(p->index[c->at[first]])))
            first = k;
    return first == KINDS ? NULL : &p->rules[rule_of(p->index[c->at[first]++])];
}
