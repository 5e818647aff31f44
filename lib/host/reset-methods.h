/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices are reset already as their rules want. */
#pragma once

#include "model/records.h"
#include "policy/policy.h"

/* Notes that in their records, for those who have not written it themselves: the client, a dry run.
 * Devices that no rule with a reset-method selects cost nothing. Returns 0 or -ENOMEM. */
int reset_methods_note(int root_fd, const struct policy *p, const struct snapshot *s,
                       struct records *records);
