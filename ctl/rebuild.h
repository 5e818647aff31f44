/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After a reload: the initramfs has a copy of the policy, which is older now. */
#pragma once

#include "bus.h"

/* Says so and offers to make the initramfs anew, if the daemon's pass in it had another policy.
 * With nobody to ask it only names the command. Returns the exit code. */
int rebuild_offer(const struct ctl *c, sd_bus *bus);
