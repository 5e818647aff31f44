/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dynamic IDs of vfio-pci that a rule calls for. Pure. */
#pragma once

#include "model/dynids.h"
#include "policy/rule.h"

/* Writes the entries that a rule calls for to ids, at most `max`; returns how many. *ret_narrowed:
 * they fit more devices than the rule selects, since not every key can be expressed. */
size_t dynids_of_rule(const struct rule *r, struct dynid *ids, size_t max, bool *ret_narrowed);
