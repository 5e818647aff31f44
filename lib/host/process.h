/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc/PID tells of a process. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t parent;
    unsigned long long start; /* in clock ticks since the boot: with the PID it names one process */
};

/* Returns 0, -ESRCH (there is no such process) or another negative errno: then it is not known. */
int process_read(int root_fd, pid_t pid, struct process *ret);

/* The unit that it belongs to, printable: "x.service", "y.scope", or from "kubepods" on; empty:
 * none. Returns 0, or negative errno if it is not known; it is empty then, too. */
#define PROCESS_UNIT_MAX 256
int process_unit(int root_fd, pid_t pid, char ret[static PROCESS_UNIT_MAX]);

/* Does it run as this user? Returns 1, 0 or negative errno. */
int process_is_of_user(int root_fd, pid_t pid, uint32_t uid);
