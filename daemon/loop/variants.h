/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests the modules of the variant drivers that rules with "driver = auto" need. */
#pragma once

#include <systemd/sd-event.h>

#include "plan/plan.h"

struct variants;

/* Called from the loop when a module was loaded, or cannot be. Devices with this `module`
 * (snapshot.h) must be read again. */
typedef void (*variants_done)(void *userdata, const char *module);

/* Returns 0 or -ENOMEM. */
int variants_new(sd_event *event, int root_fd, variants_done done, void *userdata,
                 struct variants **ret);
void variants_free(struct variants *v);

/* Requests the modules that devices in the plan need and that are not loaded, each of them once. */
void variants_load(struct variants *v, const struct plan *plan, const struct snapshot *s);

/* Allows modules to be requested again. */
void variants_retry(struct variants *v);
