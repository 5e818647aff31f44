/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks for the modules of the variant drivers that rules with "driver = auto" need. */
#pragma once

#include <systemd/sd-event.h>

#include "plan/plan.h"

struct variants;

/* Called from the loop when a module has been loaded, or cannot be. Devices that have it as
 * `module` (snapshot.h) are to be read anew. */
typedef void (*variants_done)(void *userdata, const char *module);

/* Returns 0 or -ENOMEM. */
int variants_new(sd_event *event, int root_fd, variants_done done, void *userdata,
                 struct variants **ret);
void variants_free(struct variants *v);

/* Asks for the modules that the plan's devices want and that are not loaded; for each once. */
void variants_load(struct variants *v, const struct plan *plan, const struct snapshot *s);

/* Lets modules be asked for again. */
void variants_retry(struct variants *v);
