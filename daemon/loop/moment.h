/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wakes the loop when the first of the devices that are left alone for a moment may be touched
 * again. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

struct moment;

/* Returns 0 or negative errno. */
int moment_new(sd_event *event, void (*over)(void *userdata), void *userdata, struct moment **ret);
void moment_free(struct moment *m);

/* `usec`: the time (CLOCK_MONOTONIC); 0: no device is waiting. m may be NULL. */
void moment_set(struct moment *m, uint64_t usec);
