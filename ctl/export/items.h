/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a cluster knows of devices is vendor:device and a resource name: this brings policy and
 * devices down to that. */
#pragma once

#include "export/form.h"

/* Finds the items. Says what a list of IDs cannot express of the policy, what is not ready now, and
 * which names are refused. Returns 0 or an exit code. */
int export_items(struct export *e);
