/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan comes to, for people: what "vfio-bindd --dry-run" and "vfio-bindctl plan" print.
 * Pure. */
#pragma once

#include "plan/plan.h"

struct preview {
    const struct policy *policy;
    const struct snapshot *snapshot;
    const struct records *records;
    const struct plan *plan;
    const struct plan *next_boot; /* of plan_next_boot(); NULL: this is the boot */
    bool steps;                   /* each single write, in order */
    bool work_only;               /* without the devices for which nothing is to be done */
};

/* Blanks at the beginning of a line are the indentation of what belongs to it. */
void preview_write(const struct preview *p, FILE *f);

/* A line for each rule that matches another number of devices than it expects. */
void preview_write_unmet(const struct policy *policy, const struct plan *plan, FILE *f);

/* Will the next boot refuse this device, of which it cannot know yet whether the host lives on it,
 * although it is not refused for that now? `later` is its verdict in the plan of the next boot. */
bool preview_is_news(const struct verdict *later, const struct plan *now);
