/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dynamic IDs that a rule needs. Pure. */
#pragma once

#include "model/dynids.h"
#include "policy/rule.h"

/* Writes the entries that a rule needs to ids, at most `max`, and returns their number.
 * *ret_narrowed: they match more devices than the rule selects, because an entry cannot express
 * every key. */
size_t dynids_of_rule(const struct rule *r, struct dynid *ids, size_t max, bool *ret_narrowed);
