/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pass in the initramfs. The initramfs waits for it, so it does nothing that may block, and
 * takes at most five seconds. The daemon in the real root does the rest; it is told how the pass
 * ended (early-pass.h). */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct early;

/* Begins the pass; the policy has been read. `gives_back`: devices that the host may boot from are
 * handed back. Calls `late` when the time is over. Returns 0 or negative errno. */
int early_new(sd_event *event, struct view *view, bool gives_back, void (*late)(void *userdata),
              void *userdata, struct early **ret);
void early_free(struct early *e);

/* Makes the plan. Returns 0 or -ENOMEM. */
int early_plan(struct early *e);

/* The pass has ended in time. */
void early_ended(struct early *e);

/* For the daemon, after its first scan: devices that the initramfs has handed back are taken again,
 * except those that the host uses now. */
void early_take_again(struct view *view);
