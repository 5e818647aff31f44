/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads devices into the view, and makes the events for the records that follow from that. */
#pragma once

#include "loop/uevent.h"
#include "view.h"

/* Reads every device. Returns 0, or negative errno: then the old view stays. -ENOENT: there is no
 * PCI bus. If `may_be_empty`, that is not an error, and is logged once. */
int look_at_all(struct view *view, bool may_be_empty);

/* Reads the list of drivers again. */
void look_at_drivers(struct view *view);

/* Reads these devices, if only their drivers have changed. */
void look_at_bindings(struct view *view, const struct pci_addr *addrs, size_t n);

/* The same for devices that a worker had. `alone`: there are no kernel events about virtual
 * functions that it created, so they are searched for. */
void look_at_results(struct view *view, const struct pci_addr *addrs, size_t n, bool alone);

/* Reads all devices in the IOMMU group of this device. */
void look_at_group(struct view *view, struct pci_addr a);

/* Reads these devices with all details: there is no event for a file system that was mounted, or an
 * address that was assigned, since they were last read. */
void look_at_devices(struct view *view, const struct pci_addr *addrs, size_t n);

/* The same for the virtual functions on native drivers that the plan is about to remove. Returns
 * how many these are. */
size_t look_at_vfs_to_remove(struct view *view);

/* Reads whether the BARs of devices on a VFIO driver have addresses: of those that were not
 * examined yet, or, if `again`, of all. Returns whether anything has changed. */
bool look_at_bars(struct view *view, bool again);

/* Reads the device of a kernel event. Returns whether a new plan can wait, because the device must
 * be left alone for a moment (record.h). */
bool look_at_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* Read the devices whose serial number was unknown, and those that need the driver of this
 * module. */
void look_at_unread(struct view *view);
void look_at_module(struct view *view, const char *module);
