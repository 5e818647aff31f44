/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices that a policy is no longer on trial (policy/trial.h): its time is over, or its file is
 * gone. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

/* Calls `over` when the policy of the view is on trial and must not be any longer; it has the
 * policy read again. Whoever removes the file mostly asks for that himself, so a moment passes. The
 * watch ends with the loop. Returns 0 or negative errno. */
typedef int trial_over(void *userdata);
int trial_watch(sd_event *event, const struct view *view, trial_over *over, void *userdata);
