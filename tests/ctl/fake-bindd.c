/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon on the bus that does nothing: answers as vfio-bindd would, for the client's tests. It
 * starts as "starting", is "degraded" after 300 ms (or "ready": argument), and has four devices.
 * FAKE_PHYSICAL is the address of a physical function with virtual functions. */
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/util.h"
#include "offer/bus-names.h"

static const char *state = "starting", *final_state = "degraded";
static unsigned vfs = 4;

static struct fake {
    const char *address, *id, *driver, *rule, *state, *reason, *problem;
    bool usable;
    unsigned group;
    sd_bus_slot *slot;
} devices[] = {
    {"0000:06:00.0", "10de:20f1", "vfio-pci", "a100", "bound", "", NULL, true, 16, NULL},
    {"0000:06:00.1", "10de:1aef", "vfio-pci", "a100", "bound", "", NULL, true, 16, NULL},
    {"0000:0c:00.0", "10de:20f1", "nvidia", "a100", "stuck",
     "0000:0c:00.0 (10de:20f1, rule a100) stuck: the kernel has not returned from its work on it",
     NULL, false, 22, NULL},
    {"0000:0d:00.0", "10de:20f1", "vfio-pci", "a100", "bound", "", "group-not-viable", false, 23,
     NULL},
};

static int get_device(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct fake *d = userdata;

    (void)bus, (void)path, (void)interface, (void)error;
    if (streq(property, "Usable") || streq(property, "Untouched"))
        return sd_bus_message_append(reply, "b", d->usable && streq(d->state, "bound"));
    if (streq(property, "IommuGroup"))
        return sd_bus_message_append(reply, "u", d->group);
    if (streq(property, "BoundUSec"))
        return sd_bus_message_append(reply, "t", (uint64_t)12345);
    if (streq(property, "Problems"))
        return d->problem ? sd_bus_message_append(reply, "as", 2, d->problem, "expect-mismatch")
                          : sd_bus_message_append(reply, "as", 0);
    if (streq(property, "VirtualFunctions")) /* one of the last, and one that no rule selects */
        return strstr(d->address, ":0c:")
                   ? sd_bus_message_append(reply, "as", 2, "0000:0c:10.0", "0000:0d:00.0")
                   : sd_bus_message_append(reply, "as", 0);
    if (streq(property, "PhysicalFunction"))
        return sd_bus_message_append(reply, "s", strstr(d->address, ":0d:") ? "0000:0c:00.0" : "");
    return sd_bus_message_append(reply, "s",
                                 streq(property, "Address")  ? d->address
                                 : streq(property, "Id")     ? d->id
                                 : streq(property, "Driver") ? d->driver
                                 : streq(property, "Rule")   ? d->rule
                                 : streq(property, "State")  ? d->state
                                 : streq(property, "Class")  ? "030200"
                                 : streq(property, "CompanionOf")
                                     ? (strstr(d->address, ".1") ? "0000:06:00.0" : "")
                                     : d->reason);
}

static const sd_bus_vtable device_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Address", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("Id", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("Class", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("Driver", "s", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Rule", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("CompanionOf", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("State", "s", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Reason", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("Problems", "as", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Usable", "b", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("IommuGroup", "u", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("PhysicalFunction", "s", get_device, 0, 0),
    SD_BUS_PROPERTY("VirtualFunctions", "as", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Untouched", "b", get_device, 0, 0),
    SD_BUS_PROPERTY("BoundUSec", "t", get_device, 0, 0),
    SD_BUS_VTABLE_END,
};

static int get_manager(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)userdata, (void)error;
    if (streq(property, "Rules"))
        return sd_bus_message_append(reply, "u", 3);
    if (streq(property, "ReadyUSec") || streq(property, "Events"))
        return sd_bus_message_append(reply, "t", (uint64_t)2500);
    if (streq(property, "Problems"))
        return sd_bus_message_append(reply, "as", 2, "group-not-viable", "expect-mismatch");
    if (streq(property, "PolicyFiles"))
        return sd_bus_message_append(reply, "as", 1, "/etc/vfio-bindd.conf");
    if (streq(property, "VirtualFunctions"))
        return getenv("FAKE_PHYSICAL")
                   ? sd_bus_message_append(reply, "a(ssssuubs)", 1, getenv("FAKE_PHYSICAL"), "pf",
                                           vfs > 0 ? "bound" : "released", "", 4, vfs, 1,
                                           vfs > 0 ? "4 virtual functions: present"
                                                   : "0 virtual functions: released")
                   : sd_bus_message_append(reply, "a(ssssuubs)", 0);
    return sd_bus_message_append(reply, "s",
                                 streq(property, "State")   ? state
                                 : streq(property, "Iommu") ? "intel"
                                                            : "9.9");
}

static char *path_of(const char *address)
{
    char *path = NULL;

    if (sd_bus_path_encode(BUS_DEVICE_PREFIX, address, &path) < 0)
        exit(1);
    return path;
}

static int on_device(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *address;
    uint64_t flags;

    (void)userdata;
    if (sd_bus_message_read(m, "st", &address, &flags) < 0 || flags != 0)
        return -EINVAL;
    if (getenv("FAKE_DENIES_WHILE") && access(getenv("FAKE_DENIES_WHILE"), F_OK) == 0)
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                "Access denied: polkit: no agent.");
    if (getenv("FAKE_PHYSICAL") && streq(getenv("FAKE_PHYSICAL"), address)) {
        vfs = streq(sd_bus_message_get_member(m), "Bind") ? 4 : 0;
        return sd_bus_reply_method_return(m, NULL);
    }
    for (size_t i = 0; i < ELEMENTS(devices); i++) {
        struct fake *d = &devices[i];
        if (!streq(d->address, address))
            continue;
        if (streq(d->state, "stuck"))
            return sd_bus_error_set(error, BUS_ERROR_BUSY, "a worker is still at it");
        CLEANUP_FREE char *path = path_of(address);
        d->state = streq(sd_bus_message_get_member(m), "Bind") ? "bound" : "released";
        d->driver = streq(d->state, "bound") ? "vfio-pci" : "nvidia";
        for (size_t k = 0; k < ELEMENTS(devices); k++) /* the group as a whole */
            if (devices[k].group == d->group && &devices[k] != d) {
                devices[k].state = d->state;
                devices[k].driver = streq(d->state, "bound") ? "vfio-pci" : "snd_hda_intel";
            }
        sd_bus_emit_properties_changed(sd_bus_message_get_bus(m), path, BUS_DEVICE_INTERFACE,
                                       "State", "Driver", "Usable", "Problems", "IommuGroup",
                                       "VirtualFunctions", NULL);
        return sd_bus_reply_method_return(m, NULL);
    }
    return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_DEVICE, "no rule names %s", address);
}

static int on_reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)m, (void)userdata;
    return sd_bus_error_set(error, BUS_ERROR_POLICY_INVALID,
                            "/etc/vfio-bindd.conf:3: unknown key; the policy in force stays");
}

/* Rescan finds that the second device has gone. */
static int on_rescan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    CLEANUP_FREE char *path = path_of(devices[1].address);

    (void)userdata, (void)error;
    sd_bus_emit_object_removed(sd_bus_message_get_bus(m), path);
    devices[1].slot = sd_bus_slot_unref(devices[1].slot);
    return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Version", "s", get_manager, 0, 0),
    SD_BUS_PROPERTY("State", "s", get_manager, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Iommu", "s", get_manager, 0, 0),
    SD_BUS_PROPERTY("Rules", "u", get_manager, 0, 0),
    SD_BUS_PROPERTY("Problems", "as", get_manager, 0, 0),
    SD_BUS_PROPERTY("PolicyFiles", "as", get_manager, 0, 0),
    SD_BUS_PROPERTY("ReadyUSec", "t", get_manager, 0, 0),
    SD_BUS_PROPERTY("VirtualFunctions", "a(ssssuubs)", get_manager, 0, 0),
    SD_BUS_PROPERTY("Events", "t", get_manager, 0, 0),
    SD_BUS_METHOD("Bind", "st", NULL, on_device, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Release", "st", NULL, on_device, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Reload", NULL, NULL, on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Rescan", NULL, NULL, on_rescan, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    state = final_state;
    return sd_bus_emit_properties_changed(userdata, BUS_PATH, BUS_MANAGER_INTERFACE, "State", NULL);
}

int main(int argc, char **argv)
{
    sd_event *event = NULL;
    sd_bus *bus = NULL;

    if (argc > 1)
        final_state = argv[1];
    int r = sd_event_new(&event);
    if (r >= 0)
        r = sd_bus_open_system(&bus);
    if (r >= 0)
        r = sd_bus_attach_event(bus, event, 0);
    if (r >= 0)
        r = sd_bus_add_object_manager(bus, NULL, BUS_PATH);
    if (r >= 0)
        r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, manager_vtable,
                                     NULL);
    for (size_t i = 0; r >= 0 && i < ELEMENTS(devices); i++) {
        CLEANUP_FREE char *path = path_of(devices[i].address);
        r = sd_bus_add_object_vtable(bus, &devices[i].slot, path, BUS_DEVICE_INTERFACE,
                                     device_vtable, &devices[i]);
    }
    if (r >= 0)
        r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 300000, 1000, on_time, bus);
    if (r >= 0)
        r = sd_bus_request_name(bus, BUS_NAME, 0);
    if (r >= 0)
        r = sd_event_loop(event);
    fprintf(stderr, "fake-bindd: %s\n", strerror(-r));
    return 1;
}
