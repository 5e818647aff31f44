/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the boot loader and the system, for the remedies. */
#pragma once

#include "check/findings.h"

/* Adds the commands that put a parameter on the kernel command line of this host's boot loader, and
 * that take one off it. */
void check_add_parameter(struct check *c, const char *parameter);
void check_remove_parameter(struct check *c, const char *parameter);

/* Adds the command that packs the initramfs anew. */
void check_rebuild_initramfs(struct check *c);

/* Is it the system of this ID, by os-release(5)? */
bool check_is_system(struct check *c, const char *id);
