/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the administrator hears about the items of an export: what a list of IDs loses of the
 * policy, how many devices there are now, and what is wrong with the others. */
#pragma once

#include "export/form.h"

/* What a list of IDs loses of the policy. */
void export_say_lost(struct export *e);

/* How many devices there are now, and what is wrong with them. */
void export_say_state(const struct export *e);
