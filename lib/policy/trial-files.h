/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two files of a policy on trial (trial.h), below a root. */
#pragma once

#include "policy/trial.h"

/* Reads TRIAL_PATH or TRIAL_PERMIT, which only root may be able to change. Returns 0, -ENOENT,
 * -EINVAL (not written by "vfio-bindctl apply"), -EPERM (ret_why is set as by
 * rootfs_read_trusted()) or another negative errno; outputs are unchanged on failure. */
int trial_read(int root_fd, const char *path, char **ret, size_t *ret_size, struct trial *ret_trial,
               char **ret_why);

/* Each removes a file, and syncs that to the disk. Returns 1, 0 (there was none) or negative errno.
 * Without the permit its link has no effect, so it is not an error if the link stays. */
int trial_remove_permit(int root_fd);
int trial_remove_running(int root_fd);
