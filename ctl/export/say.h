/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes about the items of an export: what a list of IDs loses of the policy, how many devices
 * there are now, and the problems of those that are not usable. */
#pragma once

#include "export/form.h"

/* Reports what a list of IDs loses of the policy. */
void export_say_lost(struct export *e);

/* Reports how many devices there are now, and their problems. */
void export_say_state(const struct export *e);
