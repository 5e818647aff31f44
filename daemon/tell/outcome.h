/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a request of a caller on the bus (requests.h) has come out. */
#pragma once

#include "channel/refusal.h"
#include "view.h"

/* Is work on the device still under way? */
bool outcome_is_pending(const struct view *view, struct pci_addr a);

/* Work has ended: is the device bound (or released), as the caller asked? Returns 0, or negative
 * errno with a sentence in *why. */
int outcome(const struct view *view, struct pci_addr a, bool bind, struct refusal *why);
