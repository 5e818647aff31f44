/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source.h"

/* While a policy is on trial (policy/trial.h), the policy cannot be changed: it would be unclear
 * what is kept or taken back. Returns true if that is the case, after printing an error. */
bool on_trial_refused(const struct source *s);
