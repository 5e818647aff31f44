/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-manager.h"

#include <errno.h>

#include "base/hash.h"
#include "base/printable.h"
#include "base/util.h"
#include "front/bus-device.h"
#include "front/bus-text.h"
#include "host/scan-host.h"
#include "offer/bus-names.h"

/* -- properties of the manager -- */

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;
    const struct message *m = copy_manager(c);

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    if (streq(property, "Version"))
        return bus_append(reply, "s", m->texts[MANAGER_VERSION]);
    if (streq(property, "Iommu"))
        return bus_append(reply, "s", scan_iommu(c->root_fd));
    if (streq(property, "Initramfs"))
        return bus_append(reply, "s", m->texts[MANAGER_INITRAMFS]);
    return bus_append(reply, "s", m->texts[MANAGER_STATE]);
}

static int get_list(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;
    const struct entry *e;
    size_t n = copy_of_kind(c, streq(property, "PolicyFiles") ? MESSAGE_FILE : MESSAGE_ERROR, &e);
    int r = sd_bus_message_open_container(reply, 'a', "s");

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = bus_append(reply, "s", e[i].m.texts[0]);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The problems of all devices, and those of the host and the policy. */
static int get_problems(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    return bus_append_words(reply, copy_manager(c)->texts[MANAGER_PROBLEMS]);
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    static const struct {
        const char *property, *type;
    } numbers[MANAGER_NUMBERS] = {
        [MANAGER_RULES] = {"Rules", "u"},          [MANAGER_MATCHED] = {"Matched", "u"},
        [MANAGER_BOUND] = {"Bound", "u"},          [MANAGER_USABLE] = {"Usable", "u"},
        [MANAGER_READY_USEC] = {"ReadyUSec", "t"}, [MANAGER_EVENTS] = {"Events", "t"},
        [MANAGER_OVERFLOWS] = {"Overflows", "t"},  [MANAGER_IOMMUFD] = {"Iommufd", "b"},
    };
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    for (size_t i = 0; i < MANAGER_NUMBERS; i++) {
        uint64_t value = copy_manager(c)->numbers[i];
        if (!numbers[i].property || !streq(numbers[i].property, property))
            continue;
        return *numbers[i].type == 't' ? bus_append(reply, "t", value)
                                       : bus_append(reply, numbers[i].type, (uint32_t)value);
    }
    return -ENOENT;
}

/* For each physical function: address, rule, state, reason, wanted and actual number of virtual
 * functions, whether vfio-bindd made them, and a sentence. */
static int get_vfs(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;
    const struct entry *e;
    size_t n = copy_of_kind(c, MESSAGE_VFS, &e);
    int r = sd_bus_message_open_container(reply, 'a', "(ssssuubs)");

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    for (size_t i = 0; r >= 0 && i < n; i++) {
        const struct message *m = &e[i].m;
        r = bus_append(reply, "(ssssuubs)", entry_address(m).s, m->texts[VFS_RULE],
                       m->texts[VFS_STATE], m->texts[VFS_REASON], (uint32_t)m->numbers[VFS_WANTED],
                       (uint32_t)m->numbers[VFS_THERE], (int)(m->numbers[VFS_OURS] != 0),
                       m->texts[VFS_SENTENCE]);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* -- methods that read -- */

static int on_list(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const struct entry *e;
    size_t n = copy_of_kind(c, MESSAGE_DEVICE, &e);
    int r = sd_bus_message_new_method_return(call, &reply);

    (void)error;
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(sssssuo)");
    for (size_t i = 0; r >= 0 && i < n; i++) {
        const struct message *m = &e[i].m;
        CLEANUP_FREE char *path = bus_device_path(m->id);
        const bool leaving = bus_device_is_leaving(c, m);
        r = !path ? -ENOMEM
                  : bus_append(reply, "(sssssuo)", entry_address(m).s, m->texts[DEVICE_ID],
                               m->texts[DEVICE_RULE], leaving ? "busy" : m->texts[DEVICE_STATE],
                               leaving ? "" : m->texts[DEVICE_DRIVER],
                               (uint32_t)m->numbers[DEVICE_GROUP], path);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_settled(sd_bus_message *reply, const struct message *m, bool settled,
                          const char *sentence)
{
    return settled ? bus_append(reply, "(sss)", entry_address(m).s, "none", sentence) : 0;
}

/* The next actions, then the devices without one. */
static int on_plan(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const struct copy *c = ((const struct bus_manager *)userdata)->copy;
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const struct entry *actions, *devices, *vfs;
    const size_t n_actions = copy_of_kind(c, MESSAGE_ACTION, &actions);
    const size_t n_devices = copy_of_kind(c, MESSAGE_DEVICE, &devices);
    const size_t n_vfs = copy_of_kind(c, MESSAGE_VFS, &vfs);
    int r = sd_bus_message_new_method_return(call, &reply);

    (void)error;
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(sss)");
    for (size_t i = n_actions; r >= 0 && i-- > 0;) { /* the first has the highest id */
        const char *const *texts = actions[i].m.texts;
        r = bus_append(reply, "(sss)", texts[ACTION_DEVICE], texts[ACTION_WORD],
                       texts[ACTION_SENTENCE]);
    }
    for (size_t i = 0; r >= 0 && i < n_devices; i++)
        r = append_settled(reply, &devices[i].m,
                           !streq(devices[i].m.texts[DEVICE_STATE], "pending"),
                           devices[i].m.texts[DEVICE_SENTENCE]);
    for (size_t i = 0; r >= 0 && i < n_vfs; i++)
        r = append_settled(reply, &vfs[i].m, vfs[i].m.numbers[VFS_SETTLED],
                           vfs[i].m.texts[VFS_SENTENCE]);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* -- methods that change something -- */

/* Wrong arguments are reported before anybody is asked for a password. */
static int check_device_call(sd_bus_message *call, enum verb verb, void *userdata,
                             sd_bus_error *error)
{
    const struct bus_manager *b = userdata;
    struct request request = {.verb = verb};
    const char *text;
    uint64_t flags;
    int r = sd_bus_message_read(call, "st", &text, &flags);

    if (r < 0)
        return r;
    if (pci_addr_parse(text, &request.device) < 0)
        return bus_error(error, SD_BUS_ERROR_INVALID_ARGS,
                         "\"%s\" is not a PCI address: write it like 0000:06:00.0", quoted(text).s);
    return bus_calls_begin(b->calls, call, &request, flags, error);
}

static int on_bind(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    return check_device_call(call, VERB_BIND, userdata, error);
}

static int on_release(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    return check_device_call(call, VERB_RELEASE, userdata, error);
}

static int on_reload(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const struct bus_manager *b = userdata;

    return bus_calls_begin(b->calls, call, &(struct request){.verb = VERB_RELOAD}, 0, error);
}

static int on_rescan(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const struct bus_manager *b = userdata;

    return bus_calls_begin(b->calls, call, &(struct request){.verb = VERB_RESCAN}, 0, error);
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Version", "s", get_state, 0, CONSTANT),
    SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("Problems", "as", get_problems, 0, CHANGES),
    SD_BUS_PROPERTY("PolicyFiles", "as", get_list, 0, CHANGES),
    SD_BUS_PROPERTY("PolicyErrors", "as", get_list, 0, CHANGES),
    SD_BUS_PROPERTY("Rules", "u", get_number, 0, CHANGES),
    SD_BUS_PROPERTY("Matched", "u", get_number, 0, CHANGES),
    SD_BUS_PROPERTY("Bound", "u", get_number, 0, CHANGES),
    SD_BUS_PROPERTY("Usable", "u", get_number, 0, CHANGES),
    SD_BUS_PROPERTY("VirtualFunctions", "a(ssssuubs)", get_vfs, 0, CHANGES),
    SD_BUS_PROPERTY("Iommu", "s", get_state, 0, 0),
    SD_BUS_PROPERTY("Initramfs", "s", get_state, 0, 0),
    SD_BUS_PROPERTY("Iommufd", "b", get_number, 0, 0),
    SD_BUS_PROPERTY("ReadyUSec", "t", get_number, 0, CHANGES),
    SD_BUS_PROPERTY("Events", "t", get_number, 0, 0),
    SD_BUS_PROPERTY("Overflows", "t", get_number, 0, 0),
    SD_BUS_METHOD_WITH_NAMES("ListDevices", NULL, , "a(sssssuo)", SD_BUS_PARAM(devices), on_list,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Plan", NULL, , "a(sss)", SD_BUS_PARAM(actions), on_plan,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Reload", NULL, NULL, on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Rescan", NULL, NULL, on_rescan, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Bind", "st", SD_BUS_PARAM(address) SD_BUS_PARAM(flags), NULL, ,
                             on_bind, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Release", "st", SD_BUS_PARAM(address) SD_BUS_PARAM(flags), NULL, ,
                             on_release, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int bus_manager_register(struct bus_manager *b, sd_bus *bus)
{
    return sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, manager_vtable, b);
}

/* -- signals -- */

static const char *const manager_changing[BUS_MANAGER_CHANGING] = {
    "State",   "Problems", "PolicyFiles", "PolicyErrors", "Rules",
    "Matched", "Bound",    "Usable",      "ReadyUSec",    "VirtualFunctions",
};

/* A hash of all entries of one kind. */
static uint32_t kind_hash(const struct copy *c, enum message_kind kind)
{
    const struct entry *e;
    const size_t n = copy_of_kind(c, kind, &e);
    uint32_t hash = (uint32_t)n;

    for (size_t i = 0; i < n; i++) {
        const uint32_t parts[] = {hash, e[i].hash};
        hash = hash_bytes(parts, sizeof(parts));
    }
    return hash;
}

void bus_manager_publish(struct bus_manager *b, sd_bus *bus)
{
    const struct message *m = copy_manager(b->copy);
    const uint32_t now[BUS_MANAGER_CHANGING] = {
        hash_text(m->texts[MANAGER_STATE]),       hash_text(m->texts[MANAGER_PROBLEMS]),
        kind_hash(b->copy, MESSAGE_FILE),         kind_hash(b->copy, MESSAGE_ERROR),
        (uint32_t)m->numbers[MANAGER_RULES],      (uint32_t)m->numbers[MANAGER_MATCHED],
        (uint32_t)m->numbers[MANAGER_BOUND],      (uint32_t)m->numbers[MANAGER_USABLE],
        (uint32_t)m->numbers[MANAGER_READY_USEC], kind_hash(b->copy, MESSAGE_VFS),
    };
    const char *names[BUS_MANAGER_CHANGING + 1];
    size_t n = 0;

    for (size_t i = 0; i < BUS_MANAGER_CHANGING; i++)
        if (now[i] != b->published[i])
            names[n++] = manager_changing[i];
    names[n] = NULL;
    memcpy(b->published, now, sizeof(now));
    if (n > 0)
        (void)sd_bus_emit_properties_changed_strv(bus, BUS_PATH, BUS_MANAGER_INTERFACE,
                                                  (char **)(uintptr_t)names);
}
