/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes events for the records (lib/model/record-event.h) from facts that were read, from kernel
 * events, and from plans. write/record-ops.h makes those from the results of workers. */
#pragma once

#include "loop/uevent.h"
#include "view.h"

/* The view has a new plan. Returns 0; 1 if the plan must be made again, because devices that no
 * rule selects may be handed back now; or -ENOMEM. */
int record_seen_plan(struct view *view);

/* A device was plugged in while the daemon runs; it is in the snapshot. */
void record_seen_plugged(struct view *view, struct pci_addr a);

/* After events were lost: the same for all devices that appeared since `before` was read or, if
 * that is empty, since the end of the previous run. */
void record_seen_new_devices(struct view *view, const struct snapshot *before);

/* If the boot is over: records that all known devices appeared before its end. */
void record_seen_boot(struct view *view);

/* A device is gone, or another one is at its address: what was recorded about it no longer
 * applies. */
void record_seen_forget(struct view *view, struct pci_addr a);

/* The same for all devices that are missing from the snapshot and known to be gone. Returns whether
 * other devices are missing because they could not be read; then everything must be scanned
 * again. */
bool record_seen_drop_vanished(struct view *view);

/* The device was read again into the snapshot. Returns false if it exists but could not be read. */
bool record_seen_look(struct view *view, struct pci_addr a);

/* A device was bound or unbound, and has been read again. Returns whether a new plan can wait,
 * because the device must be left alone for a moment. */
bool record_seen_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* It is unknown which devices were closed, or had an error, so each one is tested. */
void record_seen_doubt(struct view *view);

/* The drivers were read: which devices may one of them have skipped? */
void record_seen_drivers(struct view *view);

/* An IOMMU has appeared: operations that failed because a device had no IOMMU group may be tried
 * again. */
void record_seen_iommu(struct view *view);
