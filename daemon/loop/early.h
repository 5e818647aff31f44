/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pass in the initramfs, which waits for it: nothing that may block, no longer than five
 * seconds. What is left is for the daemon of the real root, which is told how the pass ended
 * (early-pass.h). */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct early;

/* Begins the pass; the policy is read already. `gives_back`: what the host may boot from is handed
 * back. Calls `late` when the time is over. Returns 0 or negative errno. */
int early_new(sd_event *event, struct view *view, bool gives_back, void (*late)(void *userdata),
              void *userdata, struct early **ret);
void early_free(struct early *e);

/* Makes the plan. Returns 0 or -ENOMEM. */
int early_plan(struct early *e);

/* The pass has ended in time. */
void early_ended(struct early *e);

/* For the daemon, when it has seen the devices for the first time: what the initramfs has handed
 * back is taken again, except what the host uses now. */
void early_take_again(struct view *view);
