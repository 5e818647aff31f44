/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modes of vfio-bindd(8) that examine, print and exit. Each returns an exit status; errors were
 * printed to standard error. */
#pragma once

/* Prints what would be done. */
int offline_dry_run(int root_fd);

/* Prints what an initramfs must contain: modules to load, in this order; the files and the digest
 * of the policy; and the devices that the host uses (boot-devices.h). */
int offline_for_initramfs(int root_fd);
