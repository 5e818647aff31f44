/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the daemon read the changed files of the policy. */
#pragma once

#include "ctl.h"

/* Reports the result, and offers to rebuild an initramfs that has an older policy. It is not a
 * failure if the daemon is not running. Returns the exit code. */
int reload_changed(const struct ctl *c);
