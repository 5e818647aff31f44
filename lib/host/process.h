/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc/PID/stat tells of a process. */
#pragma once

#include <sys/types.h>

struct process {
    pid_t parent;
    unsigned long long start; /* in clock ticks since the boot: with the PID it names one process */
};

/* Returns 0, -ESRCH (there is no such process) or another negative errno: then it is not known. */
int process_read(int root_fd, pid_t pid, struct process *ret);
