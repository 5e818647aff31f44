/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <stdarg.h>

#include "base/util.h"
#include "model/kinds.h"

static const char placeholder[] = "placeholder";

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
    m->overrides[i].driver =
        driver && driver != placeholder ? snapshot_name(m->snapshot, driver) : driver;
    m->n_overrides += i == m->n_overrides;
}

/* -- the table of dynamic IDs -- */

static struct pci_id id_of(const struct dynid *id)
{
    return (struct pci_id){.vendor = id->vendor,
                           .device = id->device,
                           .subvendor = id->subvendor,
                           .subdevice = id->subdevice,
                           .class_code = id->class_code,
                           .class_mask = id->class_mask};
}

static struct dynid dynid_of(const struct pci_id *id)
{
    return (struct dynid){.vendor = id->vendor,
                          .device = id->device,
                          .subvendor = id->subvendor,
                          .subdevice = id->subdevice,
                          .class_code = id->class_code,
                          .class_mask = id->class_mask};
}

static int by_age(const void *x, const void *y)
{
    const struct dynid_entry *a = *(const struct dynid_entry *const *)x,
                             *b = *(const struct dynid_entry *const *)y;

    return (a->added > b->added) - (a->added < b->added);
}

/* What was being written when a daemon died may be there or not. */
static void init_table(struct model *m)
{
    const struct dynids *f = &m->records->dynids;
    const struct dynid_entry *v[KERNEL_IDS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < f->n && n < KERNEL_IDS_MAX; i++)
        if (f->v[i].state == DYNID_ARMED || (f->v[i].state != DYNID_OPEN && f->v[i].added % 2 == 1))
            v[n++] = &f->v[i];
    qsort(v, n, sizeof(const struct dynid_entry *), by_age);
    for (size_t i = 0; i < n; i++) {
        const struct pci_id id = id_of(&v[i]->id);
        (void)dynamic_add(&m->table, &id);
    }
}

static bool is_in_table(const struct model *m, const struct device *d)
{
    for (size_t i = 0; i < m->table.n_ids; i++) {
        const struct dynid id = dynid_of(&m->table.ids[i]);
        if (dynid_fits(&id, d))
            return true;
    }
    return false;
}

/* -- the whole -- */

void model_init(struct model *m, struct snapshot *s, struct records *r, const struct plan *plan)
{
    *m = (struct model){.snapshot = s, .records = r, .held = NO_GROUP, .group_nodes = true};
    init_table(m);
    for (size_t i = 0; i < s->n; i++)
        if (driver_is_vfio(s->devices[i].driver) && !s->devices[i].node)
            m->group_nodes = false; /* of this kernel, or of this /dev */
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].placeholder)
            set_override(m, r->v[i].addr, placeholder);
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct verdict *v = &plan->verdicts[i];
        const struct device *d = snapshot_find(s, v->addr);
        const struct record *record = records_find(r, d->addr);
        if (record && record_is_overridden(record))
            set_override(m, d->addr, snapshot_name(s, record->override_text));
        else if (streq_null(d->driver, v->driver) && v->state != STATE_REFUSED &&
                 !(record && record_is_released(record) && record->fresh))
            set_override(m, d->addr, v->driver); /* a refused one was caught by a dynamic ID */
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
                             .op = {.kind = a->kind,
                                    .driver = a->driver,
                                    .vfs = a->vfs,
                                    .sets_autoprobe = a->sets_autoprobe,
                                    .found = ""}};

    record_apply(r, &e);
    e.kind = RECORD_EVENT_DONE;
    record_apply(r, &e);
    if (a->kind == ACTION_BIND)
        record_apply(r, &(struct record_event){.kind = RECORD_EVENT_LOOKED,
                                               .device = snapshot_find(m->snapshot, a->addr),
                                               .has_dynid = true});
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
    free(d->cdev);
    d->cdev = NULL;
    update_node(m->snapshot, d->group, false);
    return true;
}

/* Of its own: an IOMMU that makes groups when a driver binds has no bridges between. */
static void make_group(struct model *m, struct device *d)
{
    d->group = 10000 + (uint32_t)(d - m->snapshot->devices);
    d->iommu = OUTLOOK_NONE;
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
        d->iommu != OUTLOOK_AT_BIND && driver_is_vfio(driver))
        return refuse(m, "bind to %s without an IOMMU group", driver);
    if (!d->driver && d->group == NO_GROUP && d->iommu == OUTLOOK_AT_BIND)
        make_group(m, d);
    d->driver = snapshot_name(m->snapshot, driver);
    if (driver_is_vfio(driver) && m->group_nodes)
        update_node(m->snapshot, d->group, true);
    if (driver_is_vfio(driver) && m->snapshot->device_nodes && !d->cdev)
        d->cdev = strdup("vfio0");
    return true;
}

static bool hold(struct model *m, const struct device *d)
{
    if (d->group == NO_GROUP || !device_can_be_kept(m->snapshot, d))
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
static bool set_placeholder(struct model *m, const struct device *d)
{
    if (d->driver)
        return refuse(m, "a placeholder although %s has it", d->driver);
    if (!model_override(m, d->addr))
        set_override(m, d->addr, placeholder);
    return true;
}

static void clear_placeholder(struct model *m, const struct device *d)
{
    if (model_override(m, d->addr) == placeholder)
        set_override(m, d->addr, NULL);
}

/* -- its entries -- */

/* What is noted, and kept, before the first operation of a job. */
static void begin_entries(struct model *m, const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct action *a = &plan->actions[i];
        if (a->kind == ACTION_REMOVE_ID)
            dynids_begin_removal(&m->records->dynids, a->dynid);
        if (a->kind != ACTION_NEW_ID)
            continue;
        struct dynid_entry *e = dynids_begin(&m->records->dynids, a->dynid);
        e->learned = a->learned;
        e->narrowed = a->narrowed;
    }
}

/* At its end; then the kernel offers every device without a driver to vfio-pci. */
static bool new_id(struct model *m, const struct action *a)
{
    struct dynid_entry *e = dynids_get(&m->records->dynids, a->dynid);
    const struct pci_id id = id_of(a->dynid);

    if (e->error != 0) /* it could not be removed before */
        return true;
    e->learned = a->learned;
    e->narrowed = a->narrowed;
    for (size_t i = 0; i < m->snapshot->n; i++) { /* what has a driver by now owes it to others */
        const struct device *d = &m->snapshot->devices[i];
        struct record *r = records_find(m->records, d->addr);
        if (r && d->driver && !is_in_table(m, d))
            r->fresh = false;
    }
    if (dynamic_add(&m->table, &id) < 0)
        return refuse(m, "the table is full");
    dynids_end(&m->records->dynids, e, 0);
    for (size_t i = 0; i < m->snapshot->n; i++) {
        const struct device *d = &m->snapshot->devices[i];
        const struct record *r = records_find(m->records, d->addr);
        if (d->driver || d->bridge || model_override(m, d->addr) ||
            (r && (record_is_stuck(r) || record_is_overridden(r))) || !is_in_table(m, d))
            continue;
        m->at = d->addr;
        return refuse(m, "would fall to vfio-pci");
    }
    return true;
}

/* That there is none is no error. What was learned is remembered. */
static void remove_id(struct model *m, const struct action *a)
{
    const struct pci_id id = id_of(a->dynid);
    struct dynid_entry *e = dynids_find(&m->records->dynids, a->dynid);

    if (m->remove_error == 0)
        (void)dynamic_remove(&m->table, &id);
    if (!e)
        return;
    dynids_end_removal(e, m->remove_error);
    if (e->state == DYNID_OPEN && !e->learned)
        dynids_drop(&m->records->dynids, a->dynid);
}

size_t model_table_find(const struct model *m, const struct dynid *id)
{
    size_t i = 0;

    while (i < m->table.n_ids) {
        const struct dynid found = dynid_of(&m->table.ids[i]);
        if (dynid_same(&found, id))
            break;
        i++;
    }
    return i;
}

bool model_table_is_on_record(struct model *m)
{
    const struct dynids *f = &m->records->dynids;

    for (size_t i = 0; i < m->table.n_ids; i++) {
        const struct dynid id = dynid_of(&m->table.ids[i]);
        const struct dynid_entry *e = dynids_find(f, &id);
        if (model_table_find(m, &id) < i)
            return refuse(m, "twice in the table: %s", dynid_words(&id).s);
        if (!e || e->state == DYNID_OPEN)
            return refuse(m, "in the table, not on record: %s", dynid_words(&id).s);
    }
    for (size_t k = 0; k < f->n; k++)
        if (f->v[k].state == DYNID_ARMED && model_table_find(m, &f->v[k].id) == m->table.n_ids)
            return refuse(m, "on record, not in the table: %s", dynid_words(&f->v[k].id).s);
    return true;
}

static bool probe(struct model *m, struct device *d, const struct record *r)
{
    if (model_override(m, d->addr))
        return refuse(m, "probe while the override is %s", model_override(m, d->addr));
    if (!d->driver && r->previous_driver)
        d->driver = snapshot_name(m->snapshot, r->previous_driver);
    return true;
}

/* -- virtual functions -- */

static void remove_vfs(struct model *m, struct pci_addr pf)
{
    for (size_t i = m->snapshot->n; i-- > 0;) {
        const struct device *d = &m->snapshot->devices[i];
        const struct pci_addr a = d->addr;
        if (!d->vf || pci_addr_cmp(d->pf, pf) != 0)
            continue;
        set_override(m, a, NULL);
        records_apply(m->records, a, &(struct record_event){.kind = RECORD_EVENT_DISAPPEARED});
        snapshot_remove(m->snapshot, a);
    }
}

/* With autoprobe on, the native driver takes them at once. */
static void add_vf(struct model *m, struct pci_addr pf, unsigned index)
{
    const struct device physical = *snapshot_find(m->snapshot, pf);
    struct pci_addr a = {pf.domain, pf.bus, (uint8_t)(0x10 + index / 8), (uint8_t)(index % 8)};
    struct device d = {.addr = a,
                       .vendor = physical.vendor,
                       .device = 0x101e,
                       .class_code = physical.class_code,
                       .detailed = true,
                       .vf = true,
                       .pf = pf,
                       .vf_number = (uint16_t)(index + 1),
                       .group = 20000U + pf.bus * 256U + index,
                       .driver = physical.autoprobe_off ? NULL : physical.driver};

    if (physical.slot)
        d.pf_slot = strdup(physical.slot);
    if (snapshot_put(m->snapshot, &d) < 0 || !records_get(m->records, a))
        abort();
    records_apply(m->records, a,
                  &(struct record_event){.kind = RECORD_EVENT_APPEARED,
                                         .device = snapshot_find(m->snapshot, a)});
}

/* What the worker refuses: those that are there may be somebody else's, or in use. */
static bool set_vfs(struct model *m, const struct action *a)
{
    const struct device *pf = snapshot_find(m->snapshot, a->addr);
    const struct record *r = records_find(m->records, a->addr);

    if (!pf->driver || driver_is_vfio(pf->driver))
        if (a->vfs > 0)
            return refuse(m, "virtual functions without a native driver");
    if (pf->n_vfs > 0 && (!r || r->vfs.made < pf->n_vfs))
        return refuse(m, "takes away virtual functions of others");
    for (size_t i = 0; i < m->snapshot->n; i++)
        if (m->snapshot->devices[i].vf && m->snapshot->devices[i].use &&
            pci_addr_cmp(m->snapshot->devices[i].pf, a->addr) == 0)
            return refuse(m, "takes away virtual functions in use");
    remove_vfs(m, a->addr);
    struct device *d = snapshot_find(m->snapshot, a->addr);
    if (a->sets_autoprobe)
        d->autoprobe_off = a->vfs > 0;
    d->n_vfs = (uint16_t)a->vfs;
    d->has_vfs = a->vfs > 0;
    for (unsigned i = 0; i < a->vfs; i++)
        add_vf(m, a->addr, i);
    return true;
}

void model_take_vfs(struct model *m, const struct plan *plan)
{
    const struct record_event kept = {.kind = RECORD_EVENT_KEPT_BACK};

    for (size_t i = 0; i < m->snapshot->n; i++) {
        const struct device *d = &m->snapshot->devices[i];
        if (plan_vf_is_kept_back(plan, m->snapshot, m->records, d) &&
            records_get(m->records, d->addr))
            records_apply(m->records, d->addr, &kept);
    }
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
    case ACTION_TEST:
    case ACTION_RESET_METHOD:
        return true;
    case ACTION_NATIVE:
        return go_native(m, d, r);
    case ACTION_OFFER:
        return d->driver || go_native(m, d, r);
    case ACTION_SET_PLACEHOLDER:
        return set_placeholder(m, d);
    case ACTION_CLEAR_PLACEHOLDER:
        clear_placeholder(m, d);
        return true;
    case ACTION_PROBE:
        return probe(m, d, r);
    case ACTION_RESTORE_AUTOPROBE:
        d->autoprobe_off = false;
        return true;
    case ACTION_SET_VFS:
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
    if (a->kind == ACTION_SET_VFS ? !set_vfs(m, a) : !apply_to_device(m, a, d, r))
        return false;
    tell(m, records_find(m->records, a->addr), a);
    return true;
}

bool model_apply(struct model *m, const struct plan *plan, size_t n)
{
    begin_entries(m, plan);
    for (size_t i = 0; i < n && i < plan->n_actions; i++)
        if (!apply_one(m, &plan->actions[i]))
            return false;
    m->held = NO_GROUP;
    return true;
}
