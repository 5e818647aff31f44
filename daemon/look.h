/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads single devices anew into the view, and notes what that shows. */
#pragma once

#include "view.h"

/* All of a device. */
void look_at(struct view *view, struct pci_addr a);

/* The same where only drivers have changed. */
void look_at_bindings(struct view *view, const struct pci_addr *addrs, size_t n);

/* Devices that no rule may concern any more, but we do: they may have to go back. */
void look_at_unnamed(struct view *view);

/* Those whose serial number could not be known, and those that want this module's driver. */
void look_at_unread(struct view *view);
void look_at_module(struct view *view, const char *module);
