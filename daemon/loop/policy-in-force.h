/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which policy the daemon goes by. */
#pragma once

#include "view.h"

/* Reads the policy below the view's root. Errors are logged and kept in the view. At start, the
 * sound rules of a policy with errors are used, none of them that takes devices while something
 * could not be read. At a reload such a policy is refused, and the one in force stays. Returns 0 or
 * -EINVAL. */
int policy_in_force_load(struct view *view, bool reload);

/* After a start at which some of the policy could not be read: reads all of it again, and uses it
 * as at a start once that succeeds. Nothing is logged until then. Returns whether it is used. */
bool policy_in_force_complete(struct view *view);
