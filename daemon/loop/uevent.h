/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's event of a PCI device or driver means to us. Pure. */
#pragma once

#include <stdbool.h>

#include "model/address.h"

enum hotplug_action {
    HOTPLUG_ADD,
    HOTPLUG_REMOVE,
    HOTPLUG_BIND,
    HOTPLUG_UNBIND,
    HOTPLUG_DOUBT, /* it may be dead: the kernel could not recover it, or its user has closed it */
};

/* Reads an event's ACTION, the device's name, its SYNTH_UUID and its ERROR_EVENT; each is NULL
 * where the event has none. False: the event is none of ours (another action, no address, or
 * synthetic: "udevadm trigger" makes those, and nothing has happened to the device); the outputs
 * are untouched then. */
bool uevent_read(const char *action, const char *sysname, const char *synth_uuid,
                 const char *error_event, enum hotplug_action *ret_action,
                 struct pci_addr *ret_addr);

/* Has virtio-iommu's driver begun to work? The kernel sends this event when the driver's probe() is
 * over, and makes IOMMU groups from then on. */
bool uevent_is_iommu(const char *action, const char *subsystem, const char *driver);

/* Is the event one of a driver of the PCI bus that came or went? */
bool uevent_is_driver(const char *subsystem, const char *devpath);
