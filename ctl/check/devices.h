/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the devices. */
#pragma once

#include "source.h"

/* Has vfio-bindd bound the device, or would it? (Not if it refuses it.) */
bool check_is_taken(const struct row *r);
