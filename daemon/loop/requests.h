/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What callers on the bus ask for: is it possible, what does it mean for the records, and how has
 * it come out. Each returns 0, or negative errno with a sentence for the caller in *error. */
#pragma once

#include <systemd/sd-bus.h>

#include "view.h"

/* Marks the device, and what shares its IOMMU group, as to be handed back. Whether somebody has it
 * open is found out by the worker. */
int requests_mark_release(struct view *view, struct pci_addr a, sd_bus_error *error);

/* Marks them as to be taken again; failures are forgotten. */
int requests_mark_bind(struct view *view, struct pci_addr a, sd_bus_error *error);

/* Is work on the device still under way? */
bool requests_is_pending(const struct view *view, struct pci_addr a);

/* If not: has it come out as asked? */
int requests_outcome(const struct view *view, struct pci_addr a, bool bind, sd_bus_error *error);

/* A reload was refused for the mistakes in the view. */
int requests_policy_invalid(const struct view *view, sd_bus_error *error);
