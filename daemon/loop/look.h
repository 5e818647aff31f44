/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads devices anew into the view, and notes what that shows. */
#pragma once

#include "loop/uevent.h"
#include "view.h"

/* All of all. Returns 0 or negative errno: then what was known before still counts. -ENOENT: there
 * is no PCI bus; where it may be empty that is said once, and no error. */
int look_at_all(struct view *view, bool may_be_empty);

/* The same where only drivers have changed. */
void look_at_bindings(struct view *view, const struct pci_addr *addrs, size_t n);

/* What the kernel tells of a device. Returns whether it can wait for the device's moment
 * (record.h).
 */
bool look_at_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* Those whose serial number could not be known, and those that want this module's driver. */
void look_at_unread(struct view *view);
void look_at_module(struct view *view, const char *module);
