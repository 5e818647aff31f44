/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes events for the records (lib/model/record-event.h): from what is read of devices, from
 * kernel events, and from plans. What workers did is in write/record-ops.h. */
#pragma once

#include "loop/uevent.h"
#include "view.h"

/* The view has a new plan. Returns 0, 1 if the plan must be made anew, since devices that no rule
 * names may go back now, or -ENOMEM. */
int record_seen_plan(struct view *view);

/* A device has appeared while we run; the snapshot has it. */
void record_seen_plugged(struct view *view, struct pci_addr a);

/* The same for all devices that are new, after events were lost: those that came since `before` was
 * taken or, if that is empty, since the end of the previous run. */
void record_seen_new_devices(struct view *view, const struct snapshot *before);

/* If the boot is over: notes that the devices which are known now came before its end. */
void record_seen_boot(struct view *view);

/* A device is gone, or another is in its place: what is known of it no longer counts. */
void record_seen_forget(struct view *view, struct pci_addr a);

/* The same for all devices that are missing from the snapshot and known to be gone. Returns whether
 * other devices are missing, too: they could not be read, and everything must be looked at
 * again. */
bool record_seen_drop_vanished(struct view *view);

/* The snapshot has been read anew for this device. Returns false if it is there and could not be
 * read. */
bool record_seen_look(struct view *view, struct pci_addr a);

/* A device was bound or unbound; it has been read already. Returns whether a new plan can wait,
 * since the device is to be left alone for a moment. */
bool record_seen_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* The drivers were looked at: which devices may they have passed by? */
void record_seen_drivers(struct view *view);

/* An IOMMU has come: what failed for devices without IOMMU group may be tried again. */
void record_seen_iommu(struct view *view);
