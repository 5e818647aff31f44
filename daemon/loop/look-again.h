/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schedules another scan of the host if something could not be read. The delay doubles each time.
 * Once everything is known, there are no more scans. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

struct look_again;

typedef void look_again_now(void *userdata);

int look_again_new(sd_event *event, look_again_now *now, void *userdata, struct look_again **ret);
void look_again_free(struct look_again *l);

/* `unknown`: something could not be read, so another scan is needed. If one is scheduled already,
 * its time does not change. */
void look_again_if(struct look_again *l, bool unknown);
