/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio-bindd(8) does without being a daemon: look, say, and end. Each returns an exit status
 * and has said on standard error what went wrong. */
#pragma once

/* Prints what would be done. */
int offline_dry_run(int root_fd);

/* Prints what an initramfs must bring along: modules to load, in their order, the files and the
 * digest of the policy, and what the host uses (boot-devices.h). */
int offline_for_initramfs(int root_fd);
