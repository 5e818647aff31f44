/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dynamic IDs of vfio-pci that a rule calls for. Pure. */
#pragma once

#include "model/fence.h"
#include "policy/rule.h"

/* The entries that a rule calls for, as far as the kernel can express it; fewer than `max` are
 * written to ids. *ret_narrowed: they fit more than the rule selects. */
size_t fence_of_rule(const struct rule *r, struct fence_id *ids, size_t max, bool *ret_narrowed);
