/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outcome of a request that came over the bus (requests.h). */
#pragma once

#include "channel/refusal.h"
#include "view.h"

/* Is work on the device still in progress, or on its group, without which it cannot be used? */
bool outcome_is_pending(const struct view *view, struct pci_addr a);

/* Once work has ended: is the device bound (or released), as requested? Returns 0, or negative
 * errno with a sentence in *why. */
int outcome(const struct view *view, struct pci_addr a, bool bind, struct refusal *why);
