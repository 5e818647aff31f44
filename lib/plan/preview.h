/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of "vfio-bindd --dry-run" and "vfio-bindctl plan". Pure. */
#pragma once

#include "plan/plan.h"

struct preview {
    const struct policy *policy;
    const struct snapshot *snapshot;
    const struct records *records;
    const struct plan *plan;
    const struct plan *next_boot; /* from plan_next_boot(); NULL: the host is booting now */
    bool steps;                   /* each single write, in order */
    bool work_only;               /* omit devices that need no action */
};

/* Lines that belong to the one above are indented. */
void preview_write(const struct preview *p, FILE *f);

/* A line for each rule that matches another number of devices than it expects. */
void preview_write_unmet(const struct policy *policy, const struct plan *plan, FILE *f);

/* Will the next boot refuse this device because it cannot tell yet whether the host needs it,
 * although that is not a reason now? `later` is its verdict in the plan of the next boot. */
bool preview_is_news(const struct verdict *later, const struct plan *now);
