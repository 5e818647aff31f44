/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Information about a process, from /proc/PID. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t parent;
    unsigned long long start; /* in clock ticks since the boot: together with the PID it identifies
                               * a process */
};

/* Returns 0, -ESRCH (no such process) or another negative errno (unknown). */
int process_read(int root_fd, pid_t pid, struct process *ret);

/* The unit of the process, printable: "x.service", "y.scope", "user@1000.service/z.service", or
 * from "kubepods" on; empty: none.
 * Returns 0, or a negative errno (with an empty text) if it is unknown. */
#define PROCESS_UNIT_MAX 256
int process_unit(int root_fd, pid_t pid, char ret[static PROCESS_UNIT_MAX]);

/* Does the process run as this user? Returns 1, 0 or negative errno. */
int process_is_of_user(int root_fd, pid_t pid, uint32_t uid);
