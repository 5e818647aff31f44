/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests from callers on the bus: checks whether they are possible, and applies them to the
 * records. outcome.h reports the result. Each function returns 0, or negative errno with a sentence
 * for the caller in *why. */
#pragma once

#include "channel/refusal.h"
#include "view.h"

/* Marks the device, and the others in its IOMMU group, to be handed back. Whether somebody has it
 * open is checked later, by the worker. */
int requests_mark_release(struct view *view, struct pci_addr a, struct refusal *why);

/* Marks the same devices to be bound again; earlier failures are forgotten. */
int requests_mark_bind(struct view *view, struct pci_addr a, struct refusal *why);

/* The root file system did not appear in the initramfs: marks devices that we have and that the
 * host may boot from to be handed back. */
void requests_mark_give_back(struct view *view);

/* Makes the error for a reload that was refused because of the errors in the view. */
int requests_policy_invalid(const struct view *view, struct refusal *why);
