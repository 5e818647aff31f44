/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: processing of the complete set of rules; each function is in a file of its own. */
#pragma once

#include "import/rules.h"

/* Drops rules that add nothing to others, and those that contradict an earlier one (overlap.c). */
void import_rules_thin_out(struct found *f, struct import_rules *r);

/* The rule of the existing policy that takes the device, brings it along, or protects it; NULL:
 * none. */
const struct rule *import_decided_by(const struct found *f, const struct device *d);

/* Removes devices about which the existing policy decides (decided.c). */
void import_rules_leave_decided(struct found *f, struct import_rules *r);

/* Excludes companions that were left alone so far (companions.c). */
void import_rules_hold_companions(struct found *f, struct import_rules *r);

/* Adds the IDs of the devices to rules that have only addresses (ids-beside.c). */
void import_rules_add_ids(struct found *f, struct import_rules *r);

/* Is it on a driver that reserves it for virtual machines? */
static inline bool import_is_set_apart(const struct device *d)
{
    return d->driver && (driver_is_vfio(d->driver) || streq(d->driver, "pci-stub"));
}

/* Adds remarks about devices that are bound for virtual machines although nothing claims them
 * (unexplained.c). */
void import_rules_find_unexplained(struct found *f, const struct import_rules *r);

/* Adds comments about the devices, and remarks about blacklists that are not needed for them
 * (about.c). */
void import_rules_describe(struct found *f, struct import_rules *r);
