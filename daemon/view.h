/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the daemon knows now. Whoever shows it may use pointers into it until control returns to
 * the manager. */
#pragma once

#include "early-pass.h"
#include "plan/plan.h"

struct view {
    int root_fd;
    struct policy policy;
    char **errors; /* of the policy when it was last read: sentences with file and line */
    size_t n_errors;
    bool policy_unread; /* some of the policy in force could not be read */
    struct snapshot snapshot;
    struct records records;
    struct plan plan;
    int trouble;   /* errno with which the last pass failed as a whole; 0: none. The view is older
                      then */
    bool missed;   /* a device is missing from the snapshot since it could not be read */
    bool unread;   /* a device is missing, or something of the others or of the policy could not be
                      read */
    bool disabled; /* by the kernel command line */
    struct early_pass early; /* of the initramfs */
    bool ready; /* systemd was told READY: all overrides are written, or the deadline has passed */
    bool settled; /* the first pass is done, rebinds included; only stuck devices may be left */
    uint64_t ready_usec; /* how long the first pass took */
    uint64_t events;     /* devices that came or went */
    uint64_t overflows;  /* how often the kernel dropped events */
};

/* Makes a plan from what is known now. Returns 0 or -ENOMEM: then the old plan stays, without its
 * actions. */
int view_plan(struct view *view);

void view_clear(struct view *view);
