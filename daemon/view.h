/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the manager knows, for those who show it. Pointers are valid until control returns to the
 * manager. */
#pragma once

#include "plan/plan.h"

struct view {
    int root_fd;
    struct policy policy;
    char **mistakes; /* in the policy when it was last read, each a sentence with file and line */
    size_t n_mistakes;
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    int trouble;   /* errno with which the last look at the devices failed as a whole; 0: none. What
                    * is shown is from before then */
    bool missed;   /* a device is there that the snapshot has not: it could not be read */
    bool unread;   /* that, or something of what the snapshot has could not be read */
    bool disabled; /* by the kernel command line */
    bool ready;    /* systemd was told: what must not lose the race is done, or the deadline
                    * has passed */
    bool settled;  /* the first pass is done, takeovers included, or all that is left is stuck */
    uint64_t ready_usec; /* how long the first pass took */
    uint64_t events;     /* devices that came or went */
    uint64_t overflows;  /* times that the kernel dropped some */
};

/* Makes a plan over what is known now. Returns 0 or -ENOMEM: then the old one is still shown. */
int view_plan(struct view *view);

void view_clear(struct view *view);
