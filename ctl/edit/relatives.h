/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device relates to the host and to neighbouring devices, as far as this matters for a
 * rule. */
#pragma once

#include "source.h"

/* Is it the console of a server or virtual machine? That is a display controller, but nothing to
 * give to a virtual machine. */
bool is_console_display(const struct row *r);

bool is_same_model(const struct row *a, const struct row *b);

/* Must `other` be named as well because a virtual machine can only have both? True if they are the
 * same device. */
bool goes_with(const struct row *r, const struct row *other);

/* A device in the IOMMU group that must come along and does not by itself, or NULL. `named` marks
 * the rows that rules name anyway; it is as long as the source has rows. */
const struct row *stranger_in_group(const struct source *s, const struct row *r, const bool *named);

/* A bridge or another part of the chipset whose driver keeps the group from virtual machines, or
 * NULL. */
const struct row *blocker_in_group(const struct source *s, const struct row *r);
