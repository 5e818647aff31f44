/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/on-trial.h"

#include "base/rootfs.h"
#include "policy/trial.h"

bool on_trial_refused(const struct source *s)
{
    bool running = rootfs_exists(s->root_fd, TRIAL_PATH) != 0;

    if (!running && rootfs_exists(s->root_fd, TRIAL_PERMIT) == 0)
        return false;
    ctl_error("a policy is on trial%s \"%svfio-bindctl revert\" first",
              running ? ": keep it with \"vfio-bindctl confirm\", or take it back with"
                      : " at the next boot: take it back with",
              ctl_sudo());
    return true;
}
