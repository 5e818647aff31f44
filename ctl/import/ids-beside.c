/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: adds IDs to addresses. Other tools know a device only by its address, and take whatever
 * has that address after a card was added. */
#include "device-ids.h"
#include "import/refine.h"
#include "model/kinds.h"

static bool is_about_addresses(const struct import_rule *r)
{
    return !r->dropped && rule_trusts_addresses(import_rule_of(r)) &&
           !rule_is_native(import_rule_of(r));
}

static void add_ids(struct found *f, const struct import_rules *all, struct import_rule *r)
{
    CLEANUP_FREE bool *in = calloc(f->s->snapshot.n + 1, sizeof(*in));

    for (size_t i = 0; in && i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        in[i] = !device_is_bridge(d) && import_rules_match(all, d) == r;
    }
    r->ids = in ? ids_of_marked(&f->s->snapshot, in) : NULL;
    if (!r->ids || (*r->ids && !import_rule_parse(r)))
        f->tree.failed = true;
    if (r->ids && !*r->ids)
        import_comment(f, r,
                       "when a device is there again, add its ID: \"id = VENDOR:DEVICE\" keeps the "
                       "rule from another one that may get this address");
}

void import_rules_add_ids(struct found *f, struct import_rules *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (is_about_addresses(&all->v[i]))
            add_ids(f, all, &all->v[i]);
}
