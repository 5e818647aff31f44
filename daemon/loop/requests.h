/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What callers on the bus ask for: whether it is possible, and what it means for the records.
 * outcome.h tells how it came out. Each returns 0, or negative errno with a sentence for the
 * caller in *why. */
#pragma once

#include "channel/refusal.h"
#include "view.h"

/* Marks the device, and those that share its IOMMU group, to be handed back. Whether somebody has
 * it open is found out later, by the worker. */
int requests_mark_release(struct view *view, struct pci_addr a, struct refusal *why);

/* Marks the same devices to be taken again; failures are forgotten. */
int requests_mark_bind(struct view *view, struct pci_addr a, struct refusal *why);

/* The initramfs waits in vain for the root file system: marks what the host may boot from and we
 * have to be handed back. */
void requests_mark_give_back(struct view *view);

/* Makes the error for a reload that was refused because of the errors in the view. */
int requests_policy_invalid(const struct view *view, struct refusal *why);
