/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For use after a reload: the copy of the policy in the initramfs is out of date now. */
#pragma once

#include "bus.h"

/* If the daemon's pass in the initramfs had another policy, says so and offers to rebuild the
 * initramfs. Without a terminal, prints only the command. Returns the exit code. */
int rebuild_offer(const struct ctl *c, sd_bus *bus);
