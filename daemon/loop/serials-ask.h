/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks vfio-bindd-helper for the serial numbers that rules need, since the daemon may not read them
 * (lib/host/serials.h), and keeps them. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct serials_ask;

/* Called from the loop when there is an answer, or when it is certain that there will be none. */
typedef void (*serials_read_done)(void *userdata);

/* Returns 0 or -ENOMEM. */
int serials_ask_new(sd_event *event, const struct view *view, serials_read_done done,
                    void *userdata, struct serials_ask **ret);
void serials_ask_free(struct serials_ask *s);

/* Asks if a rule needs an unknown serial number. The number of attempts is limited until
 * serials_ask_retry(). */
void serials_ask(struct serials_ask *s);
void serials_ask_retry(struct serials_ask *s);

/* Is an answer pending? */
bool serials_ask_is_waiting(const struct serials_ask *s);
