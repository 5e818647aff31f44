/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes events for the records (lib/model/record.h) of what the kernel shows and says, and of what
 * plans say. What workers did is told by results.h. */
#pragma once

#include "loop/uevent.h"
#include "view.h"

/* The view has a new plan. Returns 1 if it must be made anew, since devices that no rule names may
 * go back now, 0, or -ENOMEM. */
int notes_take_plan(struct view *view);

/* A device has appeared while we run; the snapshot has it. */
void notes_plugged(struct view *view, struct pci_addr a);

/* The same for those that were not there before, when events were lost: since `before` was taken
 * or, where that is empty, since the run before this one. */
void notes_new_devices(struct view *view, const struct snapshot *before);

/* Is the boot over? Then the devices that are known now came before its end. */
void notes_boot(struct view *view);

/* A device is gone, or has been replaced by another: what is known of it counts no more. */
void notes_forget(struct view *view, struct pci_addr a);

/* The same for all that the snapshot has not, and that are known to be gone. Returns whether there
 * are others: they could not be read, and everything is to be looked at again. */
bool notes_drop_vanished(struct view *view);

/* The snapshot has been read anew for this device. Returns false if it is there and could not be
 * read. */
bool notes_look(struct view *view, struct pci_addr a);

/* A driver has come or gone, after the look at the device. Returns whether that can wait for the
 * device's moment (record.h). */
bool notes_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* An IOMMU has come: what failed for devices without IOMMU group may be tried again. */
void notes_iommu(struct view *view);
