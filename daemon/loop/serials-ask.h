/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has serial numbers read that a rule needs and the daemon may not read (lib/host/serials.h): by
 * vfio-bindd-serials.service. */
#pragma once

#include <systemd/sd-event.h>

#include "model/snapshot.h"
#include "policy/policy.h"

struct serials_ask;

/* Called from the loop when the unit has ended, however. */
typedef void (*serials_read)(void *userdata);

/* Returns 0 or -ENOMEM. */
int serials_ask_new(sd_event *event, serials_read done, void *userdata, struct serials_ask **ret);
void serials_ask_free(struct serials_ask *s);

/* Asks if a device's rule waits for its serial number; a few times at most, until told to retry. */
void serials_ask(struct serials_ask *s, const struct policy *p, const struct snapshot *snapshot);
void serials_ask_retry(struct serials_ask *s);

/* Is an answer to come? */
bool serials_ask_is_waiting(const struct serials_ask *s);
