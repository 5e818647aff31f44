/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd-front: what everybody on the bus may speak to. It has no rights and knows nothing but
 * its copy; the daemon does not trust it. */
#pragma once

/* Connects to the daemon, then to the bus, and runs until the daemon has gone. Returns negative
 * errno. */
int front_run(int root_fd);
