/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-device.h"

#include <errno.h>
#include <systemd/sd-hwdb.h>

#include "base/hash.h"
#include "base/util.h"
#include "front/bus-text.h"
#include "host/pci-files.h"
#include "host/slots.h"
#include "offer/bus-names.h"

/* A device that is unplugged while a virtual machine has it loses its driver link at once, but the
 * kernel sends no event until the virtual machine closes it. So the link is checked when a caller
 * asks. */
bool bus_device_is_leaving(const struct copy *c, const struct message *m)
{
    struct pci_addr a;

    return streq(m->texts[DEVICE_STATE], "bound") && pci_addr_from_number(m->id, &a) &&
           !pci_has_driver(c->root_fd, a, m->texts[DEVICE_DRIVER]);
}

char *bus_device_path(uint64_t id)
{
    struct pci_addr a;
    char *path;

    return !pci_addr_from_number(id, &a) ||
                   sd_bus_path_encode(BUS_DEVICE_PREFIX, pci_addr_text(a).s, &path) < 0
               ? NULL
               : path;
}

static const struct message *find_object(const struct copy *c, const char *path)
{
    CLEANUP_FREE char *address = NULL, *canonical = NULL;
    struct pci_addr a;

    if (sd_bus_path_decode(path, BUS_DEVICE_PREFIX, &address) <= 0 ||
        pci_addr_parse(address, &a) < 0)
        return NULL;
    canonical = bus_device_path(message_id(a)); /* an object has only one path */
    return canonical && streq(canonical, path) ? copy_find(c, MESSAGE_DEVICE, message_id(a)) : NULL;
}

static const struct copy *copy_of(const void *userdata)
{
    return ((const struct bus_devices *)userdata)->copy;
}

static int on_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                   void **ret_found, sd_bus_error *error)
{
    (void)bus;
    (void)interface;
    (void)error;
    if (!find_object(copy_of(userdata), path))
        return 0;
    *ret_found = userdata;
    return 1;
}

static int on_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
                        sd_bus_error *error)
{
    const struct entry *e;
    const size_t n = copy_of_kind(copy_of(userdata), MESSAGE_DEVICE, &e);
    char **paths = calloc(n + 1, sizeof(*paths));

    (void)bus;
    (void)prefix;
    (void)error;
    if (!paths)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        paths[i] = bus_device_path(e[i].m.id);
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

/* Names come from the hardware database. It is mapped on the first request, so it costs nothing
 * until somebody asks. A lookup can take some milliseconds. Neighbouring devices are often alike,
 * so the names of the last one are kept. */
static int append_name(sd_bus_message *m, const char *modalias, bool model)
{
    static sd_hwdb *hwdb;
    static char known[64];
    static const char *names[2]; /* they point into the mapped file */

    if (!streq(modalias, known) && (hwdb || sd_hwdb_new(&hwdb) >= 0)) {
        snprintf(known, sizeof(known), "%s", modalias);
        names[0] = names[1] = NULL;
        (void)sd_hwdb_get(hwdb, known, "ID_VENDOR_FROM_DATABASE", &names[0]);
        (void)sd_hwdb_get(hwdb, known, "ID_MODEL_FROM_DATABASE", &names[1]);
    }
    return bus_append(m, "s", streq(modalias, known) ? names[model] : NULL);
}

/* Slots are read from files, at most once in a turn of the event loop. */
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

static int append_leaving(sd_bus_message *reply, const struct message *m)
{
    const char *node =
        *m->texts[DEVICE_GROUP_NODE] ? m->texts[DEVICE_GROUP_NODE] : m->texts[DEVICE_OWN_NODE];

    return bus_append_format(reply,
                             "in-use: it is being unplugged or unbound while a virtual machine "
                             "still has it open: end that (fuser -v %s)",
                             node);
}

/* Properties that are a text of the entry. */
static const struct {
    const char *property;
    unsigned text;
} texts[] = {
    {"Id", DEVICE_ID},
    {"Class", DEVICE_CLASS},
    {"Subsystem", DEVICE_SUBSYSTEM},
    {"Driver", DEVICE_DRIVER},
    {"PreviousDriver", DEVICE_PREVIOUS_DRIVER},
    {"Rule", DEVICE_RULE},
    {"CompanionOf", DEVICE_COMPANION_OF},
    {"PhysicalFunction", DEVICE_PHYSICAL_FUNCTION},
    {"Resource", DEVICE_RESOURCE},
    {"State", DEVICE_STATE},
    {"Reason", DEVICE_REASON},
    {"VfioNode", DEVICE_GROUP_NODE},
    {"VfioDeviceNode", DEVICE_OWN_NODE},
    {"Interface", DEVICE_INTERFACE},
};

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = copy_of(userdata);
    const struct message *m = find_object(c, path);

    (void)bus;
    (void)interface;
    (void)error;
    if (!m)
        return -ENOENT;
    const bool leaving = bus_device_is_leaving(c, m);
    if (leaving && streq(property, "State"))
        return bus_append(reply, "s", "busy");
    if (leaving && streq(property, "Driver"))
        return bus_append(reply, "s", "");
    if (leaving && streq(property, "Reason"))
        return append_leaving(reply, m);
    for (size_t i = 0; i < ELEMENTS(texts); i++)
        if (streq(texts[i].property, property))
            return bus_append(reply, "s", m->texts[texts[i].text]);
    return -ENOENT;
}

static int get_list_of_words(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
    static const struct {
        const char *property;
        unsigned text;
    } lists[] = {{"Problems", DEVICE_PROBLEMS},
                 {"GroupMembers", DEVICE_MEMBERS},
                 {"VirtualFunctions", DEVICE_VIRTUAL_FUNCTIONS}};
    const struct message *m = find_object(copy_of(userdata), path);

    (void)bus;
    (void)interface;
    (void)error;
    for (size_t i = 0; m && i < ELEMENTS(lists); i++)
        if (streq(lists[i].property, property))
            return bus_append_words(reply, m->texts[lists[i].text]);
    return -ENOENT;
}

static int get_value(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = copy_of(userdata);
    const struct message *m = find_object(c, path);

    (void)bus;
    (void)interface;
    (void)error;
    if (!m)
        return -ENOENT;
    if (streq(property, "Usable"))
        return bus_append(reply, "b", m->numbers[DEVICE_USABLE] && !bus_device_is_leaving(c, m));
    if (streq(property, "IommuGroup"))
        return bus_append(reply, "u", (uint32_t)m->numbers[DEVICE_GROUP]);
    if (streq(property, "Untouched"))
        return bus_append(reply, "b", m->numbers[DEVICE_UNTOUCHED] != 0);
    return bus_append(reply, "t", m->numbers[DEVICE_BOUND_USEC]);
}

/* Properties that are read when somebody asks. */
static int get_from_host(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = copy_of(userdata);
    const struct message *m = find_object(c, path);
    struct pci_addr a;
    char buf[512];

    (void)interface;
    (void)error;
    if (!m || !pci_addr_from_number(m->id, &a))
        return -ENOENT;
    if (streq(property, "Address"))
        return bus_append(reply, "s", pci_addr_text(a).s);
    if (streq(property, "Vendor"))
        return append_name(reply, m->texts[DEVICE_MODALIAS], false);
    if (streq(property, "Model"))
        return append_name(reply, m->texts[DEVICE_MODALIAS], true);
    if (streq(property, "Slot"))
        return append_slot(reply, bus, c->root_fd, a);
    if (streq(property, "NumaNode"))
        return bus_append(reply, "i",
                          *pci_attribute(c->root_fd, a, "numa_node", buf, sizeof(buf)) ? atoi(buf)
                                                                                       : -1);
    if (streq(property, "ResetMethods"))
        return bus_append_words(reply,
                                pci_attribute(c->root_fd, a, "reset_method", buf, sizeof(buf)));
    return bus_append(reply, "s",
                      pci_attribute(c->root_fd, a,
                                    streq(property, "LocalCpus") ? "local_cpulist" : "power_state",
                                    buf, sizeof(buf)));
}

/* -- methods -- */

/* The object is the address. */
static int begin_call_on_this(sd_bus_message *call, enum verb verb, void *userdata,
                              sd_bus_error *error)
{
    const struct bus_devices *d = userdata;
    const struct message *m = find_object(d->copy, sd_bus_message_get_path(call));
    struct request request = {.verb = verb};
    uint64_t flags;

    if (!m || !pci_addr_from_number(m->id, &request.device))
        return -ENOENT;
    int r = sd_bus_message_read(call, "t", &flags);
    return r < 0 ? r : bus_calls_begin(d->calls, call, &request, flags, error);
}

static int on_bind_this(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    return begin_call_on_this(call, VERB_BIND, userdata, error);
}

static int on_release_this(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    return begin_call_on_this(call, VERB_RELEASE, userdata, error);
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Address", "s", get_from_host, 0, CONSTANT),
    SD_BUS_PROPERTY("Id", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Class", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Vendor", "s", get_from_host, 0, CONSTANT),
    SD_BUS_PROPERTY("Model", "s", get_from_host, 0, CONSTANT),
    SD_BUS_PROPERTY("Subsystem", "s", get_text, 0, CONSTANT),
    SD_BUS_PROPERTY("Slot", "s", get_from_host, 0, CONSTANT),
    SD_BUS_PROPERTY("Driver", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("PreviousDriver", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Rule", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("CompanionOf", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Resource", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Reason", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Problems", "as", get_list_of_words, 0, CHANGES),
    SD_BUS_PROPERTY("Usable", "b", get_value, 0, CHANGES),
    SD_BUS_PROPERTY("IommuGroup", "u", get_value, 0, CHANGES),
    SD_BUS_PROPERTY("GroupMembers", "as", get_list_of_words, 0, CHANGES),
    SD_BUS_PROPERTY("VfioNode", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("VfioDeviceNode", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Interface", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("PhysicalFunction", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("VirtualFunctions", "as", get_list_of_words, 0, CHANGES),
    SD_BUS_PROPERTY("NumaNode", "i", get_from_host, 0, CONSTANT),
    SD_BUS_PROPERTY("LocalCpus", "s", get_from_host, 0, 0),
    SD_BUS_PROPERTY("ResetMethods", "as", get_from_host, 0, 0),
    SD_BUS_PROPERTY("PowerState", "s", get_from_host, 0, 0),
    SD_BUS_PROPERTY("Untouched", "b", get_value, 0, CHANGES),
    SD_BUS_PROPERTY("BoundUSec", "t", get_value, 0, CHANGES),
    SD_BUS_METHOD_WITH_NAMES("Bind", "t", SD_BUS_PARAM(flags), NULL, , on_bind_this,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Release", "t", SD_BUS_PARAM(flags), NULL, , on_release_this,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int bus_device_register(sd_bus *bus, struct bus_devices *d)
{
    int r = sd_bus_add_fallback_vtable(bus, NULL, BUS_DEVICE_PREFIX, BUS_DEVICE_INTERFACE, vtable,
                                       on_find, d);
    if (r >= 0)
        r = sd_bus_add_node_enumerator(bus, NULL, BUS_DEVICE_PREFIX, on_enumerate, d);
    return r;
}

/* -- signals -- */

/* Hundreds of devices may change at once, so this limits the signals in one turn of the event loop.
 * A signal about changed properties costs 1; one about a new object has all properties and costs
 * more. */
#define TOLD_MAX 8
#define COST_OF_OBJECT 4

/* The properties that change, and their places in the entry. */
static const struct {
    const char *property;
    bool is_number;
    unsigned index;
} changing[PUBLISHED_MAX] = {
    {"State", false, DEVICE_STATE},
    {"Reason", false, DEVICE_REASON},
    {"Problems", false, DEVICE_PROBLEMS},
    {"Usable", true, DEVICE_USABLE},
    {"Driver", false, DEVICE_DRIVER},
    {"PreviousDriver", false, DEVICE_PREVIOUS_DRIVER},
    {"Rule", false, DEVICE_RULE},
    {"Resource", false, DEVICE_RESOURCE},
    {"VfioNode", false, DEVICE_GROUP_NODE},
    {"Untouched", true, DEVICE_UNTOUCHED},
    {"BoundUSec", true, DEVICE_BOUND_USEC},
    {"GroupMembers", false, DEVICE_MEMBERS},
    {"IommuGroup", true, DEVICE_GROUP},
    {"VfioDeviceNode", false, DEVICE_OWN_NODE},
    {"Interface", false, DEVICE_INTERFACE},
    {"CompanionOf", false, DEVICE_COMPANION_OF},
    {"PhysicalFunction", false, DEVICE_PHYSICAL_FUNCTION},
    {"VirtualFunctions", false, DEVICE_VIRTUAL_FUNCTIONS},
};

static struct published publish_device(const struct message *m)
{
    struct published p = {.id = m->id};

    for (size_t i = 0; i < PUBLISHED_MAX; i++)
        p.values[i] = changing[i].is_number
                          ? hash_bytes(&m->numbers[changing[i].index], sizeof(*m->numbers))
                          : hash_text(m->texts[changing[i].index]);
    return p;
}

/* Signals the properties that differ. Returns false if none does. */
static bool emit_changed(sd_bus *bus, const struct published *old, const struct published *new)
{
    const char *names[PUBLISHED_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < PUBLISHED_MAX; i++)
        if (old->values[i] != new->values[i])
            names[n++] = changing[i].property;
    names[n] = NULL;
    if (n == 0)
        return false;
    CLEANUP_FREE char *path = bus_device_path(new->id);
    if (path)
        (void)sd_bus_emit_properties_changed_strv(bus, path, BUS_DEVICE_INTERFACE,
                                                  (char **)(uintptr_t)names);
    return true;
}

static void emit_added(sd_bus *bus, uint64_t id)
{
    CLEANUP_FREE char *path = bus_device_path(id);

    if (path)
        (void)sd_bus_emit_object_added(bus, path);
}

static void emit_removed(sd_bus *bus, uint64_t id)
{
    CLEANUP_FREE char *path = bus_device_path(id);

    if (path)
        /* the interfaces that sd_bus_emit_object_added() announced */
        (void)sd_bus_emit_interfaces_removed(
            bus, path, "org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
            "org.freedesktop.DBus.Properties", BUS_DEVICE_INTERFACE, NULL);
}

/* Signals the changes of a device since `old`, its last signalled state (NULL: none). Returns false
 * if that must wait for the next turn. */
static bool tell(sd_bus *bus, const struct published *old, const struct published *new,
                 unsigned *cost)
{
    if (*cost >= TOLD_MAX)
        return false;
    if (!old) {
        emit_added(bus, new->id);
        *cost += COST_OF_OBJECT;
    } else if (emit_changed(bus, old, new)) {
        ++*cost;
    }
    return true;
}

/* Both lists are sorted by address, so one pass compares them. Nothing is signalled on a new
 * connection: nobody has seen an object yet, and clients that see the name appear ask for all of
 * them. */
bool bus_device_publish(sd_bus *bus, const struct copy *c, struct publication *p)
{
    const struct entry *e;
    const size_t n_devices = copy_of_kind(c, MESSAGE_DEVICE, &e);
    struct published *told = calloc(n_devices + 1, sizeof(*told));
    const bool first = !p->v;
    bool more = false;
    unsigned cost = 0;
    size_t n = 0, at = 0;

    if (!told)
        return false;
    for (size_t i = 0; i < n_devices; i++) {
        const struct published now = publish_device(&e[i].m);
        for (; at < p->n && p->v[at].id < now.id; at++)
            emit_removed(bus, p->v[at].id);
        const struct published *old = at < p->n && p->v[at].id == now.id ? &p->v[at++] : NULL;
        if (first || tell(bus, old, &now, &cost)) {
            told[n++] = now;
            continue;
        }
        more = true;
        if (old)
            told[n++] = *old;
    }
    for (; at < p->n; at++)
        emit_removed(bus, p->v[at].id);
    free(p->v);
    *p = (struct publication){told, n};
    return more;
}
