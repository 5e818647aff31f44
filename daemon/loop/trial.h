/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd --trial: puts a policy on trial, waits, and takes it back (policy/trial.h). It needs
 * neither the daemon nor the client nor a bus: the daemon notices by itself that the file in /run
 * is gone. */
#pragma once

/* Returns an exit status. Says in the journal what it does. */
int trial_run(int root_fd);
