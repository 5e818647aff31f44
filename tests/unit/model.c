/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <stdarg.h>

#include "util.h"

static const char parking[] = "parking";

static size_t override_index(const struct model *m, struct pci_addr a)
{
    size_t i = 0;

    while (i < m->n_overrides && pci_addr_cmp(m->overrides[i].addr, a) != 0)
        i++;
    return i;
}

const char *model_override(const struct model *m, struct pci_addr a)
{
    size_t i = override_index(m, a);

    return i < m->n_overrides ? m->overrides[i].driver : NULL;
}

static void set_override(struct model *m, struct pci_addr a, const char *driver)
{
    size_t i = override_index(m, a);

    if (i >= MODEL_DEVICES_MAX)
        abort();
    m->overrides[i].addr = a;
    m->overrides[i].driver = driver;
    m->n_overrides += i == m->n_overrides;
}

void model_init(struct model *m, struct snapshot *s, struct records *r, const struct plan *plan)
{
    *m = (struct model){.snapshot = s, .records = r, .held = NO_GROUP, .group_nodes = true};
    for (size_t i = 0; i < s->n; i++)
        if (driver_is_vfio(s->devices[i].driver) && !s->devices[i].node)
            m->group_nodes = false;
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].parked)
            set_override(m, r->v[i].addr, parking);
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct verdict *v = &plan->verdicts[i];
        const struct device *d = &s->devices[v->device];
        const struct record *record = records_find(r, d->addr);
        if (record && record_is_overridden(record))
            set_override(m, d->addr, snapshot_name(s, record->override_text));
        else if (streq_null(d->driver, v->driver))
            set_override(m, d->addr, v->driver);
    }
}

PRINTF(2, 3) static bool refuse(struct model *m, const char *format, ...)
{
    va_list args;
    int n = snprintf(m->why, sizeof(m->why), "%s: ", pci_addr_text(m->at).s);

    va_start(args, format);
    vsnprintf(m->why + n, sizeof(m->why) - (size_t)n, format, args);
    va_end(args);
    return false;
}

/* What a worker tells of an action that has succeeded. The model's driver links are read at once.
 */
static void tell(struct model *m, struct record *r, const struct action *a)
{
    struct record_event e = {.kind = RECORD_EVENT_BEGINS,
                             .op = {.kind = a->kind, .driver = a->driver, .found = ""}};

    record_apply(r, &e);
    e.kind = RECORD_EVENT_DONE;
    record_apply(r, &e);
    if (a->kind == ACTION_BIND)
        record_apply(r, &(struct record_event){.kind = RECORD_EVENT_LOOKED,
                                               .device = snapshot_find(m->snapshot, a->addr),
                                               .fenced = true});
}

/* /dev/vfio/GROUP is there while a VFIO driver has a device of the group. */
static void update_node(struct snapshot *s, uint32_t group, bool node)
{
    for (size_t i = 0; i < s->n && group != NO_GROUP; i++)
        if (s->devices[i].group == group && driver_is_vfio(s->devices[i].driver) && !node)
            return;
    for (size_t i = 0; i < s->n && group != NO_GROUP; i++)
        if (s->devices[i].group == group)
            s->devices[i].node = node;
}

static bool unbind(struct model *m, struct device *d, const char *driver)
{
    if (!streq_null(d->driver, driver))
        return refuse(m, "unbind from %s, it is on %s", driver, d->driver ? d->driver : "none");
    if (driver_is_vfio(driver) && d->group != NO_GROUP && m->held != d->group)
        return refuse(m, "unbind from %s while a virtual machine may take group %u", driver,
                      d->group);
    d->driver = NULL;
    free(d->use);
    d->use = NULL;
    update_node(m->snapshot, d->group, false);
    return true;
}

static bool bind(struct model *m, struct device *d, const char *driver)
{
    const char *override = model_override(m, d->addr);

    if (d->driver && !streq(d->driver, driver))
        return refuse(m, "bind to %s over %s", driver, d->driver);
    if (!snapshot_is_registered(m->snapshot, driver))
        return refuse(m, "bind to %s, which the kernel does not know", driver);
    if (!override || !streq(override, driver))
        return refuse(m, "bind to %s, the override is %s", driver, override ? override : "none");
    if (!d->driver && d->group == NO_GROUP && !m->snapshot->unsafe_noiommu &&
        driver_is_vfio(driver))
        return refuse(m, "bind to %s without an IOMMU group", driver);
    d->driver = snapshot_name(m->snapshot, driver);
    if (driver_is_vfio(driver) && m->group_nodes)
        update_node(m->snapshot, d->group, true);
    return true;
}

static bool hold(struct model *m, const struct device *d)
{
    if (d->group == NO_GROUP || !d->node)
        return refuse(m, "there is no group to hold");
    m->held = d->group;
    return true;
}

static bool go_native(struct model *m, struct device *d, const struct record *r)
{
    if (model_override(m, d->addr))
        return refuse(m, "bound by name while the override is %s", model_override(m, d->addr));
    if (!d->driver && r->previous_driver)
        d->driver = snapshot_name(m->snapshot, r->previous_driver);
    return true;
}

/* An override that is there already, whose ever, is left. */
static bool park(struct model *m, const struct device *d)
{
    if (d->driver)
        return refuse(m, "parked although %s has it", d->driver);
    if (!model_override(m, d->addr))
        set_override(m, d->addr, parking);
    return true;
}

static void unpark(struct model *m, const struct device *d)
{
    if (model_override(m, d->addr) == parking)
        set_override(m, d->addr, NULL);
}

/* The kernel offers every device without a driver to vfio-pci. */
static bool new_id(struct model *m, const struct action *a)
{
    for (size_t i = 0; i < m->snapshot->n; i++) { /* what has a driver by now owes it to others */
        const struct device *d = &m->snapshot->devices[i];
        struct record *r = records_find(m->records, d->addr);
        if (r && d->driver && !fence_has(&m->records->fence, d))
            r->fresh = false;
    }
    struct fence_entry *e = fence_get(&m->records->fence, &a->fence);
    *e = (struct fence_entry){
        .id = a->fence, .state = FENCE_ARMED, .companion = a->companion, .narrowed = a->narrowed};
    for (size_t i = 0; i < m->snapshot->n; i++) {
        const struct device *d = &m->snapshot->devices[i];
        const struct record *r = records_find(m->records, d->addr);
        if (d->driver || device_is_bridge(d) || model_override(m, d->addr) ||
            (r && (record_is_stuck(r) || record_is_overridden(r))) ||
            !fence_has(&m->records->fence, d))
            continue;
        m->at = d->addr;
        return refuse(m, "would fall to vfio-pci");
    }
    return true;
}

/* What was learned is remembered. */
static void remove_id(struct model *m, const struct action *a)
{
    struct fence_entry *e = fence_find(&m->records->fence, &a->fence);

    if (e && e->companion)
        e->state = FENCE_OPEN;
    else
        fence_drop(&m->records->fence, &a->fence);
}

static bool probe(struct model *m, struct device *d, const struct record *r)
{
    if (model_override(m, d->addr))
        return refuse(m, "probe while the override is %s", model_override(m, d->addr));
    if (!d->driver && r->previous_driver)
        d->driver = snapshot_name(m->snapshot, r->previous_driver);
    return true;
}

static bool apply_to_device(struct model *m, const struct action *a, struct device *d,
                            const struct record *r)
{
    switch (a->kind) {
    case ACTION_OVERRIDE:
        set_override(m, a->addr, a->driver);
        return true;
    case ACTION_UNBIND:
        return unbind(m, d, a->driver);
    case ACTION_BIND:
        return bind(m, d, a->driver);
    case ACTION_HOLD:
        return hold(m, d);
    case ACTION_CLEAR:
        set_override(m, a->addr, NULL);
        return true;
    case ACTION_CHECK:
        return true;
    case ACTION_NATIVE:
        return go_native(m, d, r);
    case ACTION_PARK:
        return park(m, d);
    case ACTION_UNPARK:
        unpark(m, d);
        return true;
    case ACTION_PROBE:
        return probe(m, d, r);
    case ACTION_NEW_ID:
    case ACTION_REMOVE_ID:
    case ACTION_MAX:
        break;
    }
    return refuse(m, "an action that the model does not know");
}

static bool apply_one(struct model *m, const struct action *a)
{
    if (a->kind == ACTION_NEW_ID)
        return new_id(m, a);
    if (a->kind == ACTION_REMOVE_ID) {
        remove_id(m, a);
        return true;
    }

    struct record *r = records_get(m->records, a->addr);
    struct device *d = snapshot_find(m->snapshot, a->addr);

    m->at = a->addr;
    if (!d || !r)
        return refuse(m, "there is no such device");
    if (!apply_to_device(m, a, d, r))
        return false;
    tell(m, r, a);
    return true;
}

bool model_apply(struct model *m, const struct plan *plan, size_t n)
{
    for (size_t i = 0; i < n && i < plan->n_actions; i++)
        if (!apply_one(m, &plan->actions[i]))
            return false;
    m->held = NO_GROUP;
    return true;
}
