/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The effects of another policy, for plan --policy and the verbs that change the policy. */
#pragma once

#include "json.h"
#include "source.h"

struct change {
    struct policy policy;
    struct diags diags; /* of the whole new policy */
    struct plan plan;   /* valid as long as policy and source are */
};

void change_done(struct change *c);

/* Replaces the source's main policy file by this text, and takes ownership of it, also on failure.
 * Drop-ins and the kernel command line still count. The texts of the source change, but not its
 * policy and plan. Returns 0 or negative errno; errors are in ret->diags. Call change_done() in any
 * case. */
int change_make(struct source *s, const char *name, char *bytes, size_t size, struct change *ret);

/* The same after any change of the source's texts. */
int change_plan(struct source *s, struct change *ret);

/* For each device with a different verdict, prints the differences and the new verdict; or one line
 * if there is none. */
void change_print(const struct source *s, const struct change *c);

/* The number of devices that the new policy selects but that would not be usable (refused, busy,
 * failed, not usable), plus the number of rules that match another number of devices than they
 * expect. */
size_t change_count_trouble(const struct source *s, const struct change *c);

/* The array "devices": the verdicts of the plan, and how they differ from those of the old plan
 * (NULL: no comparison). */
void plan_json_devices(struct json *j, const struct source *s, const struct plan *old,
                       const struct plan *plan);
