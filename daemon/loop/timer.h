/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A timer of the loop. It is off until a time is set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct timer;

/* Returns 0 or negative errno. */
int timer_new(sd_event *event, void (*over)(void *userdata), void *userdata, struct timer **ret);
void timer_free(struct timer *t);

/* `usec`: the time (CLOCK_MONOTONIC); 0: off. Nothing if t is NULL. */
void timer_set(struct timer *t, uint64_t usec);

bool timer_is_set(const struct timer *t);
