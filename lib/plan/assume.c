/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/assume.h"

#include <errno.h>

#include "plan/make.h"

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

/* The host at the next boot: no native driver has a device yet, and nothing is in use. */
static int boot_snapshot(const struct snapshot *s, struct snapshot *ret)
{
    int r = 0;

    ret->cold_boot = true;
    ret->unsafe_noiommu = s->unsafe_noiommu;
    for (size_t i = 0; r >= 0 && i < s->n; i++) {
        struct device d = s->devices[i];
        d.driver = NULL;
        d.use = NULL;
        d.has_vfs = false;
        d.node = false;
        if (!d.vf) /* native drivers create these */
            r = snapshot_keep(ret, &d);
    }
    for (size_t i = 0; r >= 0 && i < s->n_registered; i++)
        r = snapshot_add_registered(ret, s->registered[i].name, s->registered[i].order);
    return r;
}

int plan_next_boot(const struct policy *p, const struct snapshot *s, struct plan *ret)
{
    CLEANUP(snapshot_done) struct snapshot boot = {0};
    CLEANUP(records_done) struct records none = {0};
    int r = boot_snapshot(s, &boot);

    if (r >= 0)
        r = plan_assume(p, &boot, &none);
    return r < 0 ? r : plan_make(p, &boot, &none, ret);
}
