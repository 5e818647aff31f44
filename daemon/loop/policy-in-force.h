/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the policy that the daemon uses. */
#pragma once

#include "view.h"

/* Reads the policy below the view's root. Errors are logged and kept in the view. At start, a
 * policy with errors is used without the broken rules; if some of it could not be read, without all
 * rules that take devices. At a reload such a policy is refused, and the one in force stays.
 * Returns 0 or -EINVAL. */
int policy_in_force_load(struct view *view, bool reload);

/* For a start at which some of the policy could not be read: reads it again, and if all of it can
 * be read now, uses it as at a start. Logs nothing until then. Returns whether the policy is
 * used. */
bool policy_in_force_complete(struct view *view);
