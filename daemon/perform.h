/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The single operations of a plan, as kernel calls: the only writer to /sys. Called in worker
 * processes alone, since each may block for ever. */
#pragma once

#include "pciaddr.h"
#include "state.h"

#define DRIVER_NAME_MAX 56 /* with NUL; MODULE_NAME_LEN of the kernel */

struct op {
    struct pci_addr addr;
    enum action_kind kind;
    char driver[DRIVER_NAME_MAX]; /* ACTION_HOLD: the group's number */
    int result;                   /* 0, negative errno, or OP_NOT_DONE */
};

#define OP_NOT_DONE 1
/* An earlier operation on the same device, or ACTION_HOLD, failed in this job. */
#define OP_SKIPPED (-ECANCELED)

/* Does one operation; returns 0 or negative errno. *held_fd keeps what ACTION_HOLD opened (-1:
 * nothing yet); the caller closes it when the job is done. */
int perform(int root_fd, const struct op *op, int *held_fd);
