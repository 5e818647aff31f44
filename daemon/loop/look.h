/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads devices anew into the view, and notes what that shows. */
#pragma once

#include "loop/uevent.h"
#include "view.h"

/* Reads every device. Returns 0 or negative errno: then what was known before still counts.
 * -ENOENT: there is no PCI bus; if `may_be_empty` that is no error, and only said once. */
int look_at_all(struct view *view, bool may_be_empty);

/* Looks again which drivers there are. */
void look_at_drivers(struct view *view);

/* Reads these devices, of which only the drivers have changed. */
void look_at_bindings(struct view *view, const struct pci_addr *addrs, size_t n);

/* The same for devices that a worker had. `alone`: no kernel event tells of virtual functions that
 * it made, so they are looked for. */
void look_at_results(struct view *view, const struct pci_addr *addrs, size_t n, bool alone);

/* Reads the devices of this one's IOMMU group. */
void look_at_group(struct view *view, struct pci_addr a);

/* Reads all of these devices: a mount or an address that came since they were read makes no event.
 */
void look_at_devices(struct view *view, const struct pci_addr *addrs, size_t n);

/* Reads the device of a kernel event. Returns whether a new plan can wait, since the device is to
 * be left alone for a moment (record.h). */
bool look_at_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* Reads the devices whose serial number was unknown, and those that want this module's driver. */
void look_at_unread(struct view *view);
void look_at_module(struct view *view, const char *module);
