/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what else on this host creates virtual functions. */
#pragma once

#include "check/findings.h"
#include "physical.h"

/* Finds other configuration that sets the number of virtual functions of a device whose rule has
 * "vfs". */
void check_vf_makers(struct check *c, const struct physicals *p);
