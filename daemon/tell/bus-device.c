/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/bus-device.h"

#include <assert.h>
#include <errno.h>
#include <systemd/sd-hwdb.h>

#include "base/hash.h"
#include "host/pci-files.h"
#include "host/slots.h"
#include "offer/bus-names.h"
#include "plan/text.h"
#include "tell/bus-text.h"

/* What the getter of a property finds of its object. */
struct object {
    const struct view *view;
    const struct verdict *verdict;
    const struct device *device;
    const struct record *record; /* or NULL */
};

/* A device that is unplugged while a virtual machine has it loses its driver link at once, and the
 * kernel says nothing of it until the virtual machine lets go. So a caller is told what is true
 * now. */
bool bus_device_is_leaving(const struct view *view, const struct verdict *v)
{
    return v->state == STATE_BOUND && !pci_has_driver(view->root_fd, v->addr, v->driver);
}

char *bus_device_path(struct pci_addr a)
{
    char *path;

    return sd_bus_path_encode(BUS_DEVICE_PREFIX, pci_addr_text(a).s, &path) < 0 ? NULL : path;
}

static bool find_object(const struct view *view, const char *path, struct object *ret)
{
    CLEANUP_FREE char *address = NULL, *canonical = NULL;
    struct pci_addr a;

    if (sd_bus_path_decode(path, BUS_DEVICE_PREFIX, &address) <= 0 ||
        pci_addr_parse(address, &a) < 0)
        return false;
    canonical = bus_device_path(a); /* one name for each object */
    if (!canonical || !streq(canonical, path))
        return false;
    const struct verdict *v = plan_find(&view->plan, a);
    const struct device *d = snapshot_find(&view->snapshot, a);
    if (!v || !d)
        return false;
    *ret = (struct object){view, v, d, records_find(&view->records, a)};
    return true;
}

static int on_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                   void **ret_found, sd_bus_error *error)
{
    struct object o;

    (void)bus;
    (void)interface;
    (void)error;
    if (!find_object(userdata, path, &o))
        return 0;
    *ret_found = userdata;
    return 1;
}

static int on_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
                        sd_bus_error *error)
{
    const struct view *view = userdata;
    char **paths = calloc(view->plan.n_verdicts + 1, sizeof(*paths));

    (void)bus;
    (void)prefix;
    (void)error;
    if (!paths)
        return -ENOMEM;
    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        paths[i] = bus_device_path(view->plan.verdicts[i].addr);
        if (!paths[i]) {
            while (i-- > 0)
                free(paths[i]);
            free(paths);
            return -ENOMEM;
        }
    }
    *ret = paths;
    return 1;
}

/* -- getters -- */

/* Names come from the hardware database, which is mapped, not read: only those who ask pay for it.
 * A lookup takes some ms in the worst case. So the names of the last device are kept, since its
 * neighbours are often alike. */
static int append_name(sd_bus_message *m, const struct device *d, bool model)
{
    static sd_hwdb *hwdb;
    static char known[64];
    static const char *names[2]; /* in the mapped file */
    char modalias[64];

    snprintf(modalias, sizeof(modalias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", d->vendor,
             d->device, d->subvendor, d->subdevice, d->class_code >> 16, d->class_code >> 8 & 0xff,
             d->class_code & 0xff);
    if (!streq(modalias, known) && (hwdb || sd_hwdb_new(&hwdb) >= 0)) {
        memcpy(known, modalias, sizeof(known));
        names[0] = names[1] = NULL;
        (void)sd_hwdb_get(hwdb, modalias, "ID_VENDOR_FROM_DATABASE", &names[0]);
        (void)sd_hwdb_get(hwdb, modalias, "ID_MODEL_FROM_DATABASE", &names[1]);
    }
    return bus_append(m, "s", streq(modalias, known) ? names[model] : NULL);
}

/* Slots are read from files, once for all answers that are given in one turn of the event loop. */
static int append_slot(sd_bus_message *m, sd_bus *bus, int root_fd, struct pci_addr a)
{
    static struct slots slots;
    static uint64_t read_in;
    uint64_t turn = 0;

    (void)sd_event_get_iteration(sd_bus_get_event(bus), &turn);
    if (turn == 0 || turn != read_in) {
        slots_done(&slots);
        (void)slots_read(root_fd, &slots);
        read_in = turn;
    }
    CLEANUP_FREE char *name = slots_name(&slots, a);
    return bus_append(m, "s", name);
}

static int append_problems(sd_bus_message *m, unsigned problems)
{
    int r = sd_bus_message_open_container(m, 'a', "s");

    for (unsigned bit = 1; r >= 0 && bit < PROBLEM_MAX; bit <<= 1)
        if (problems & bit)
            r = bus_append(m, "s", problem_word((enum problem)bit));
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_members(sd_bus_message *m, const struct object *o)
{
    const struct groups *groups = &o->view->plan.groups;
    const uint32_t group = o->device->group;
    size_t i = groups_start(groups, group);
    const struct group_member *member;
    int r = sd_bus_message_open_container(m, 'a', "s");

    while (r >= 0 && (member = groups_next(groups, group, &i)))
        r = bus_append(m, "s", pci_addr_text(member->addr).s);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Words of a file, separated by blanks. */
static int append_words(sd_bus_message *m, char *text)
{
    char *save = NULL;
    int r = sd_bus_message_open_container(m, 'a', "s");

    for (char *w = strtok_r(text, " ", &save); r >= 0 && w; w = strtok_r(NULL, " ", &save))
        r = bus_append(m, "s", w);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct object o;
    char buf[SENTENCE_MAX];

    (void)bus;
    (void)interface;
    (void)error;
    if (!find_object(userdata, path, &o))
        return -ENOENT;
    const struct device *d = o.device;
    const struct verdict *v = o.verdict;
    if (streq(property, "Address"))
        return bus_append(reply, "s", pci_addr_text(d->addr).s);
    if (streq(property, "Id"))
        return bus_append_format(reply, "%04x:%04x", d->vendor, d->device);
    if (streq(property, "Class"))
        return bus_append_format(reply, "%06x", d->class_code);
    if (streq(property, "Vendor"))
        return append_name(reply, d, false);
    if (streq(property, "Model"))
        return append_name(reply, d, true);
    if (streq(property, "Subsystem"))
        return bus_append_format(reply, "%04x:%04x", d->subvendor, d->subdevice);
    if (streq(property, "Slot"))
        return append_slot(reply, bus, o.view->root_fd, d->addr);
    if (streq(property, "Driver"))
        return bus_append(reply, "s", bus_device_is_leaving(o.view, v) ? NULL : d->driver);
    if (streq(property, "PreviousDriver"))
        return bus_append(reply, "s", o.record ? o.record->previous_driver : NULL);
    if (streq(property, "Rule"))
        return bus_append(reply, "s", v->rule->name);
    if (streq(property, "CompanionOf"))
        return bus_append(reply, "s", v->comes_along ? pci_addr_text(v->leader).s : "");
    if (streq(property, "Resource"))
        return bus_append(reply, "s", v->rule->resource);
    if (streq(property, "State"))
        return bus_append(reply, "s",
                          state_word(bus_device_is_leaving(o.view, v) ? STATE_BUSY : v->state));
    if (streq(property, "Reason") && bus_device_is_leaving(o.view, v))
        return bus_append_format(
            reply,
            "in-use: it is being unplugged or unbound, and a virtual machine still has it: "
            "end that (fuser -v %s)",
            d->node ? device_group_node(d).s : device_own_node(d).s);
    if (streq(property, "Reason")) {
        verdict_sentence(v, &o.view->snapshot, &o.view->records, buf);
        return v->reason == REASON_NONE
                   ? bus_append(reply, "s", "")
                   : bus_append_format(reply, "%s: %s", reason_word(v->reason), buf);
    }
    if (streq(property, "VfioNode"))
        return bus_append(reply, "s", device_group_node(d).s);
    if (streq(property, "VfioDeviceNode"))
        return bus_append(reply, "s", device_own_node(d).s);
    if (streq(property, "Interface"))
        return bus_append(reply, "s", interface_word(v->rule->interface));
    return -ENOENT;
}

/* Read when somebody asks. */
static int get_attribute(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const char *name = streq(property, "LocalCpus") ? "local_cpulist" : "power_state";
    struct object o;
    char buf[SENTENCE_MAX];

    (void)bus;
    (void)interface;
    (void)error;
    if (!find_object(userdata, path, &o))
        return -ENOENT;
    return bus_append(reply, "s",
                      pci_attribute(o.view->root_fd, o.device->addr, name, buf, sizeof(buf)));
}

static int get_other(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct object o;
    char buf[SENTENCE_MAX];

    (void)bus;
    (void)interface;
    (void)error;
    if (!find_object(userdata, path, &o))
        return -ENOENT;
    const struct device *d = o.device;
    if (streq(property, "Problems"))
        return append_problems(reply, o.verdict->problems);
    if (streq(property, "Usable"))
        return bus_append(reply, "b",
                          o.verdict->usable && !bus_device_is_leaving(o.view, o.verdict));
    if (streq(property, "IommuGroup"))
        return bus_append(reply, "u", d->group);
    if (streq(property, "GroupMembers"))
        return append_members(reply, &o);
    if (streq(property, "NumaNode"))
        return bus_append(reply, "i",
                          *pci_attribute(o.view->root_fd, d->addr, "numa_node", buf, sizeof(buf))
                              ? atoi(buf)
                              : -1);
    if (streq(property, "ResetMethods"))
        return append_words(
            reply, pci_attribute(o.view->root_fd, d->addr, "reset_method", buf, sizeof(buf)));
    if (streq(property, "Untouched"))
        return bus_append(reply, "b", !(o.record && o.record->touched));
    if (streq(property, "BoundUSec"))
        return bus_append(reply, "t", o.record ? o.record->bound_usec : (uint64_t)0);
    return -ENOENT;
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Address", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Id", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Class", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Vendor", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Model", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Subsystem", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Slot", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Driver", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("PreviousDriver", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Rule", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("CompanionOf", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Resource", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Reason", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Problems", "as", get_other, 0, CHANGES),
    SD_BUS_PROPERTY("Usable", "b", get_other, 0, CHANGES),
    SD_BUS_PROPERTY("IommuGroup", "u", get_other, 0, CHANGES),
    SD_BUS_PROPERTY("GroupMembers", "as", get_other, 0, CHANGES),
    SD_BUS_PROPERTY("VfioNode", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("VfioDeviceNode", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Interface", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("NumaNode", "i", get_other, 0, CONSTANT),
    SD_BUS_PROPERTY("LocalCpus", "s", get_attribute, 0, 0),
    SD_BUS_PROPERTY("ResetMethods", "as", get_other, 0, 0),
    SD_BUS_PROPERTY("PowerState", "s", get_attribute, 0, 0),
    SD_BUS_PROPERTY("Untouched", "b", get_other, 0, CHANGES),
    SD_BUS_PROPERTY("BoundUSec", "t", get_other, 0, CHANGES),
    SD_BUS_VTABLE_END,
};

int bus_device_register(sd_bus *bus, const struct view *view)
{
    /* sd-bus hands userdata back as it got it; nothing is written through it */
    void *userdata = (void *)(uintptr_t)view;
    int r = sd_bus_add_fallback_vtable(bus, NULL, BUS_DEVICE_PREFIX, BUS_DEVICE_INTERFACE, vtable,
                                       on_find, userdata);
    if (r >= 0)
        r = sd_bus_add_node_enumerator(bus, NULL, BUS_DEVICE_PREFIX, on_enumerate, userdata);
    return r;
}

/* -- signals -- */

/* How much is signalled in one turn of the event loop, since hundreds of devices may change at
 * once. A signal about changed properties costs 1; one about a new object, with all of its
 * properties, costs more. */
#define TOLD_MAX 8
#define COST_OF_OBJECT 4

/* The properties that change, in the order of struct published. */
static const char *const changing[PUBLISHED_MAX] = {
    "State",      "Reason",         "Problems",  "Usable",      "Driver",    "PreviousDriver",
    "Rule",       "Resource",       "VfioNode",  "Untouched",   "BoundUSec", "GroupMembers",
    "IommuGroup", "VfioDeviceNode", "Interface", "CompanionOf",
};

static uint32_t members_hash(const struct view *view, const struct device *d)
{
    const struct groups *groups = &view->plan.groups;
    size_t i = groups_start(groups, d->group);
    const struct group_member *member;
    uint32_t hash = 0;

    while ((member = groups_next(groups, d->group, &i)))
        hash = hash * 31 + hash_text(pci_addr_text(member->addr).s);
    return hash;
}

static struct published publish_device(const struct view *view, const struct verdict *v)
{
    const struct device *d = snapshot_find(&view->snapshot, v->addr);
    const struct record *r = records_find(&view->records, v->addr);

    assert(d); /* published right after the plan was made */
    return (struct published){d->addr,
                              {v->state, v->reason, v->problems, v->usable, hash_text(d->driver),
                               hash_text(r ? r->previous_driver : NULL), hash_text(v->rule->name),
                               hash_text(v->rule->resource), d->node, !(r && r->touched),
                               r ? hash_bytes(&r->bound_usec, sizeof(r->bound_usec)) : 0,
                               members_hash(view, d), d->group, hash_text(d->cdev),
                               v->rule->interface,
                               v->comes_along ? hash_text(pci_addr_text(v->leader).s) : 0}};
}

/* Signals the properties in which the two differ. Returns false if none do. */
static bool emit_changed(sd_bus *bus, const struct published *old, const struct published *new)
{
    const char *names[PUBLISHED_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < PUBLISHED_MAX; i++)
        if (old->values[i] != new->values[i])
            names[n++] = changing[i];
    names[n] = NULL;
    if (n == 0)
        return false;
    CLEANUP_FREE char *path = bus_device_path(new->addr);
    if (path)
        (void)sd_bus_emit_properties_changed_strv(bus, path, BUS_DEVICE_INTERFACE,
                                                  (char **)(uintptr_t)names);
    return true;
}

static void emit_added(sd_bus *bus, struct pci_addr a)
{
    CLEANUP_FREE char *path = bus_device_path(a);

    if (path)
        (void)sd_bus_emit_object_added(bus, path);
}

static void emit_removed(sd_bus *bus, struct pci_addr a)
{
    CLEANUP_FREE char *path = bus_device_path(a);

    if (path)
        /* All that sd_bus_emit_object_added() announced. */
        (void)sd_bus_emit_interfaces_removed(
            bus, path, "org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
            "org.freedesktop.DBus.Properties", BUS_DEVICE_INTERFACE, NULL);
}

/* Signals what is new about a device; `old` is what was signalled last (NULL: nothing). Returns
 * false if that has to wait for the next turn. */
static bool tell(sd_bus *bus, const struct published *old, const struct published *new,
                 unsigned *cost)
{
    if (*cost >= TOLD_MAX)
        return false;
    if (!old) {
        emit_added(bus, new->addr);
        *cost += COST_OF_OBJECT;
    } else if (emit_changed(bus, old, new)) {
        ++*cost;
    }
    return true;
}

/* Both lists are in the order of addresses: one walk along the two. On a new connection nobody has
 * seen any object yet, and whoever sees the name appear asks for all of them: nothing is signalled
 * then. */
bool bus_device_publish(sd_bus *bus, const struct view *view, struct publication *p)
{
    const struct plan *plan = &view->plan;
    struct published *told = calloc(plan->n_verdicts + 1, sizeof(*told));
    const bool first = !p->v;
    bool more = false;
    unsigned cost = 0;
    size_t n = 0, at = 0;

    if (!told)
        return false;
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct published now = publish_device(view, &plan->verdicts[i]);
        for (; at < p->n && pci_addr_cmp(p->v[at].addr, now.addr) < 0; at++)
            emit_removed(bus, p->v[at].addr);
        const struct published *old =
            at < p->n && pci_addr_cmp(p->v[at].addr, now.addr) == 0 ? &p->v[at++] : NULL;
        if (first || tell(bus, old, &now, &cost)) {
            told[n++] = now;
            continue;
        }
        more = true;
        if (old)
            told[n++] = *old;
    }
    for (; at < p->n; at++)
        emit_removed(bus, p->v[at].addr);
    free(p->v);
    *p = (struct publication){told, n};
    return more;
}
