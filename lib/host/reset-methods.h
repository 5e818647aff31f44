/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that already have the reset methods of their rules. */
#pragma once

#include "model/records.h"
#include "policy/policy.h"

/* Notes that in their records, for programs that did not write them: the client, a dry run. Other
 * devices cost nothing. Returns 0 or -ENOMEM. */
int reset_methods_note(int root_fd, const struct policy *p, const struct snapshot *s,
                       struct records *records);
