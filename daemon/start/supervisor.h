/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main process of the service until the daemon is ready. It starts the daemon, and again if it
 * dies, so that for systemd the unit does not fail and udev does not start first. The boot waits
 * for all starts together, until boot-deadline. Then the boot goes on, and further starts follow,
 * with growing pauses.
 *
 * The daemon is a child of systemd, not of the supervisor. When it is ready, it becomes the main
 * process, and the supervisor exits. Crashes after that are handled by systemd. */
#pragma once

#include <stdint.h>

struct starting;

/* Returns 0, or a negative errno that says why the daemon cannot work. */
typedef int supervised(void *userdata, struct starting *s);

/* The daemon has given up, and would do so again: RestartPreventExitStatus= of the unit. */
#define EXIT_GAVE_UP 3

/* Returns the exit status. The daemon itself exits and never returns from here. boot_deadline_usec
 * applies until the daemon has read its policy. */
int supervise(supervised *daemon, void *userdata, uint64_t boot_deadline_usec);
