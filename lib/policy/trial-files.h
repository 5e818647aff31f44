/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two files of a policy on trial (trial.h), below a root. */
#pragma once

#include "policy/trial.h"

/* Reads TRIAL_PATH or TRIAL_PERMIT, which must be root's alone. Returns 0, -ENOENT, -EINVAL (not
 * what "vfio-bindctl apply" writes), -EPERM (ret_why as rootfs_read_trusted() sets it) or another
 * negative errno; outputs are untouched on failure. */
int trial_read(int root_fd, const char *path, char **ret, size_t *ret_size, struct trial *ret_trial,
               char **ret_why);

/* Each removes a file, and waits until that is on the disk. They return 1, 0 (there was none) or
 * negative errno. Without the permit its link has no effect, so a link that stays is no error. */
int trial_remove_permit(int root_fd);
int trial_remove_running(int root_fd);
