/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interprets a kernel event about a PCI device or driver. Pure. */
#pragma once

#include <stdbool.h>

#include "model/address.h"

enum hotplug_action {
    HOTPLUG_ADD,
    HOTPLUG_REMOVE,
    HOTPLUG_BIND,
    HOTPLUG_UNBIND,
    HOTPLUG_DOUBT, /* the device may not answer any more: the kernel could not recover it, or its
                      user has closed it */
};

/* Parses an event's ACTION, the name of the device, its SYNTH_UUID and its ERROR_EVENT; each is
 * NULL if the event does not have it. Returns false if the event is not relevant (another action,
 * no address, or synthetic: "udevadm trigger" makes such events, but nothing has happened to the
 * device). The outputs are unchanged then. */
bool uevent_read(const char *action, const char *sysname, const char *synth_uuid,
                 const char *error_event, enum hotplug_action *ret_action,
                 struct pci_addr *ret_addr);

/* Has virtio-iommu's driver begun to work? The kernel sends this event after the driver's probe(),
 * and makes IOMMU groups from then on. */
bool uevent_is_iommu(const char *action, const char *subsystem, const char *driver);

/* Is the event about a driver of the PCI bus that was registered or unregistered? */
bool uevent_is_driver(const char *subsystem, const char *devpath);
