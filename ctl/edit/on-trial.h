/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source.h"

/* While a policy is on trial (policy/trial.h) none is changed: it would be unclear what is kept or
 * taken back. True: that is so, and has been said. */
bool on_trial_refused(const struct source *s);
