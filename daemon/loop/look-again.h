/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to look at the host again because something could not be read: the delay doubles each time,
 * and no look follows once everything is known. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

struct look_again;

typedef void look_again_now(void *userdata);

int look_again_new(sd_event *event, look_again_now *now, void *userdata, struct look_again **ret);
void look_again_free(struct look_again *l);

/* Tells whether something is unknown, so that another look is needed. If one is scheduled already
 * its time does not change. */
void look_again_if(struct look_again *l, bool unknown);
