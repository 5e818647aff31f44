/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another policy would change: for plan --policy and the verbs that change it. */
#pragma once

#include "json.h"
#include "source.h"

struct change {
    struct policy policy;
    struct diags diags; /* of the whole new policy */
    struct plan plan;   /* valid while policy and source are */
};

void change_done(struct change *c);

/* Puts the text (which it takes over, also on failure) in the place of the main policy file of the
 * source; its drop-ins and the kernel command line still count. The source's own texts change, its
 * policy and plan do not. Returns 0 or negative errno; errors are in ret->diags. Call change_done()
 * in any case. */
int change_make(struct source *s, const char *name, char *bytes, size_t size, struct change *ret);

/* The same for whatever has been done to the source's texts. */
int change_plan(struct source *s, struct change *ret);

/* For each device for which the verdict differs: in what, and the new one. Or one line that says
 * that there is none. */
void change_print(const struct source *s, const struct change *c);

/* How many devices the new policy selects and does not get (refused, busy, failed, not usable), and
 * how many of its rules match another number of devices than they expect. */
size_t change_count_trouble(const struct source *s, const struct change *c);

/* The array "devices": the verdicts of the plan, and how they differ from those of the old one
 * (NULL: no comparison). */
void plan_json_devices(struct json *j, const struct source *s, const struct plan *old,
                       const struct plan *plan);
