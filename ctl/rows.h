/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row for each device, which combines policy, /sys and the daemon's data. */
#pragma once

#include "source.h"

/* Call this when everything else of the source is complete. Returns 0 or -ENOMEM. */
int rows_build(struct source *s);

/* For another host there are only the daemon's data: makes the snapshot from them. */
int rows_devices_of_live(struct source *s);
