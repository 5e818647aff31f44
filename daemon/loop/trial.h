/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd --trial: puts a policy on trial, waits, and takes it back (policy/trial.h). Needs
 * neither daemon nor client nor bus: the daemon detects itself that the file in /run is gone. */
#pragma once

/* Returns an exit status. Logs to the journal. */
int trial_run(int root_fd);
