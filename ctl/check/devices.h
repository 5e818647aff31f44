/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the devices. */
#pragma once

#include "source.h"

/* Is it a device that vfio-bindd has or would take? (Not one that it refuses.) */
bool check_is_taken(const struct row *r);
