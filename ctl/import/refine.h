/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what is done with the rules when all are there, each in a file of its own. */
#pragma once

#include "import/rules.h"

/* Drops rules that add nothing to others, and those that contradict an earlier one (overlap.c). */
void import_rules_thin_out(struct found *f, struct import_rules *r);

/* The rule of the policy that is there which takes the device, brings it along, or keeps it; NULL:
 * none. */
const struct rule *import_decided_by(const struct found *f, const struct device *d);

/* Leaves to the policy that is there what it decides (decided.c). */
void import_rules_leave_decided(struct found *f, struct import_rules *r);

/* Keeps from coming along what was left alone so far (companions.c). */
void import_rules_hold_companions(struct found *f, struct import_rules *r);

/* Adds the IDs of the devices to rules that name them by address alone (ids-beside.c). */
void import_rules_add_ids(struct found *f, struct import_rules *r);

/* Is it on a driver that keeps it for virtual machines? */
static inline bool import_is_set_apart(const struct device *d)
{
    return d->driver && (driver_is_vfio(d->driver) || streq(d->driver, "pci-stub"));
}

/* Says which devices are bound for virtual machines although nothing claims them (unexplained.c).
 */
void import_rules_find_unexplained(struct found *f, const struct import_rules *r);

/* Adds what is known of the devices to the comments, and says which blacklists are not needed for
 * their sake (about.c). */
void import_rules_describe(struct found *f, struct import_rules *r);
