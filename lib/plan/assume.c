/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/assume.h"

#include <errno.h>

#define ORDER_ASSUMED UINT64_MAX

int plan_assume(const struct policy *p, struct snapshot *s, struct records *records)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!driver_is_vfio(s->devices[i].driver))
            continue;
        struct record *r = records_get(records, s->devices[i].addr);
        if (!r)
            return -ENOMEM;
        r->binding = BINDING_FOUND;
    }
    for (size_t i = 0; i < p->n_rules; i++) {
        const char *driver = rule_target(&p->rules[i]);
        if (driver && !snapshot_is_registered(s, driver) &&
            snapshot_add_registered(s, driver, ORDER_ASSUMED) < 0)
            return -ENOMEM;
    }
    return 0;
}

bool plan_is_assumed(const struct registered *r)
{
    return r->order == ORDER_ASSUMED;
}
