/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that the daemon knows now. Pointers into it are valid until control returns to the
 * manager. */
#pragma once

#include "early-pass.h"
#include "plan/plan.h"

struct view {
    int root_fd;
    struct policy policy;
    char **errors; /* errors of the policy when it was last read: sentences with file and line */
    size_t n_errors;
    bool policy_unread; /* part of the policy in force could not be read */
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    int trouble;   /* errno with which the last pass failed as a whole; 0: none. If it is not 0, the
                      view is out of date */
    bool missed;   /* a device is missing from the snapshot because it could not be read */
    bool unread;   /* a device is missing, or some fact or part of the policy could not be read */
    bool disabled; /* by the kernel command line */
    struct early_pass early; /* of the initramfs */
    bool ready; /* systemd was told READY: all overrides are written, or the deadline has passed */
    bool settled; /* the first pass is done, rebinds included; only stuck devices may be left */
    uint64_t ready_usec; /* how long the first pass took */
    uint64_t events;     /* number of devices that appeared or disappeared */
    uint64_t overflows;  /* how often the kernel dropped events */
};

/* Makes a plan from the view. Returns 0, or -ENOMEM: then the old plan stays, without its
 * actions. */
int view_plan(struct view *view);

void view_clear(struct view *view);
