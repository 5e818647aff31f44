/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy's files have changed: lets the daemon read them. */
#pragma once

#include "ctl.h"

/* Says how that went, and offers to make an initramfs anew that has an older policy. A daemon that
 * does not run is no failure. Returns the exit code. */
int reload_changed(const struct ctl *c);
