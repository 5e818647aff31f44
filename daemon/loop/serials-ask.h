/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks vfio-bindd-serials.service to read the serial numbers that rules need, since the daemon may
 * not (lib/host/serials.h). */
#pragma once

#include <systemd/sd-event.h>

#include "model/snapshot.h"
#include "policy/policy.h"

struct serials_ask;

/* Called from the loop when the unit has ended, with or without success. */
typedef void (*serials_read)(void *userdata);

/* Returns 0 or -ENOMEM. */
int serials_ask_new(sd_event *event, serials_read done, void *userdata, struct serials_ask **ret);
void serials_ask_free(struct serials_ask *s);

/* Asks if a rule waits for the serial number of a device; only a few times, until told to retry. */
void serials_ask(struct serials_ask *s, const struct policy *p, const struct snapshot *snapshot);
void serials_ask_retry(struct serials_ask *s);

/* Is an answer still to come? */
bool serials_ask_is_waiting(const struct serials_ask *s);
