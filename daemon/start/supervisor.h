/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service's main process until the daemon is ready. It starts the daemon, again if it dies, so
 * that systemd does not see the unit fail and udev does not go first. The boot waits for all starts
 * together, until boot-deadline; then it goes on, and so does this, with growing pauses.
 *
 * The daemon is not its child but systemd's: when it is ready it becomes the main process, and the
 * supervisor ends. A crash after that is systemd's to see. */
#pragma once

#include <stdint.h>

struct starting;

/* Returns 0 or negative errno: why the daemon cannot work. */
typedef int supervised(void *userdata, struct starting *s);

/* The daemon gave up, and would again: RestartPreventExitStatus= of the unit. */
#define EXIT_GAVE_UP 3

/* Returns the exit status. The daemon itself exits and never returns from here.
 * boot_deadline_usec is that of a daemon that has not read its policy yet. */
int supervise(supervised *daemon, void *userdata, uint64_t boot_deadline_usec);
