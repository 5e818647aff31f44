/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: remedies that depend on the boot loader and the distribution. */
#pragma once

#include "check/findings.h"

/* Add the commands that add a parameter to the kernel command line with this host's boot loader, or
 * remove one. */
void check_add_parameter(struct check *c, const char *parameter);
void check_remove_parameter(struct check *c, const char *parameter);

/* Adds the command that rebuilds the initramfs. */
void check_rebuild_initramfs(struct check *c);

/* Is it the distribution with this ID, according to os-release(5)? */
bool check_is_system(struct check *c, const char *id);
