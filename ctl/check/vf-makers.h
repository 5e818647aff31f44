/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: who else on this host makes virtual functions. */
#pragma once

#include "check/findings.h"
#include "physical.h"

/* Finds whoever else sets the number of virtual functions of a device for which a rule says
 * "vfs". */
void check_vf_makers(struct check *c, const struct physicals *p);
