/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device is to the host and to its neighbours, as far as a rule for it must know. */
#pragma once

#include "source.h"

/* The consoles of servers and of virtual machines: a display controller, and yet nothing to hand
 * over. */
bool is_console_display(const struct row *r);

bool is_same_model(const struct row *a, const struct row *b);

/* Can a virtual machine have the one only together with the other, which must be named, too? A
 * device goes with itself. */
bool goes_with(const struct row *r, const struct row *other);

/* Somebody in the IOMMU group who would have to come along and does not by itself; `named` are the
 * rows (an array as long as the source's) that rules name anyway. NULL: nobody. */
const struct row *stranger_in_group(const struct source *s, const struct row *r, const bool *named);

/* A bridge or a part of the chipset whose driver keeps the group from virtual machines. */
const struct row *blocker_in_group(const struct source *s, const struct row *r);
