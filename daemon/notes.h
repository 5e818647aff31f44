/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is noted of devices in the records (lib/record.h) from what the kernel shows and says. What
 * workers did is noted by results.h. */
#pragma once

#include "uevent.h"
#include "view.h"

/* The view has a new plan: notes what it shows of the past. Returns 0 or -ENOMEM. */
int notes_take_plan(struct view *view);

/* A device has appeared while we run; the snapshot has it. */
void notes_plugged(struct view *view, struct pci_addr a);

/* The same for those that were not there before, when events were lost: since `before` was taken
 * or, where that is empty, since the run before this one. */
void notes_new_devices(struct view *view, const struct snapshot *before);

/* What is known of a device that is gone, or has been replaced by another, counts no more. While a
 * worker has work for it the record stays, since no other worker may get any. */
void notes_forget(struct view *view, struct pci_addr a);
void notes_drop_vanished(struct view *view);

/* The snapshot has been read anew for this device. */
void notes_look(struct view *view, struct pci_addr a);

/* A driver has come or gone, after the look at the device. */
void notes_event(struct view *view, enum hotplug_action action, struct pci_addr a);

/* There is a new policy: marks what we bound and it does not name, to be handed back. Returns
 * whether there is any. */
bool notes_dropped(struct view *view);

/* Has the kernel put off a bind of some device? And: it may be tried again. */
bool notes_any_early(const struct view *view);
void notes_end_early(struct view *view);

/* An IOMMU has come: what failed for devices without IOMMU group may be tried again. */
void notes_iommu(struct view *view);
