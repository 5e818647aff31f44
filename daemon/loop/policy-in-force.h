/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which policy the daemon goes by. */
#pragma once

#include "view.h"

/* Reads the policy below the view's root. At start the sound rules of one with mistakes are used; a
 * running one is not replaced by it: then -EINVAL. The mistakes are logged and kept in the view.
 * Returns 0 or negative errno. */
int policy_in_force_load(struct view *view, bool reload);
