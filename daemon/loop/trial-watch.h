/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detects the end of a trial (policy/trial.h): its time is over, or its file is gone. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

/* Calls `over` when the policy of the view is on trial and the trial is over, so that the policy is
 * read again. Usually, whoever removes the file also requests a reload, so the call is delayed a
 * little. The watch ends with the loop. Returns 0 or negative errno. */
typedef int trial_over(void *userdata);
int trial_watch(sd_event *event, const struct view *view, trial_over *over, void *userdata);
