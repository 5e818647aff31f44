/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd-front, the process that serves the bus. It has no privileges and knows only its copy,
 * and the daemon does not trust it. */
#pragma once

/* Connects to the daemon, then to the bus, and runs until the daemon is gone. Returns negative
 * errno. */
int front_run(int root_fd);
