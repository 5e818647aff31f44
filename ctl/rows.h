/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row a device: what policy, /sys and the daemon say, brought together. */
#pragma once

#include "source.h"

/* Needs everything else of the source. Returns 0 or -ENOMEM. */
int rows_build(struct source *s);

/* On another host the daemon's word is all there is: makes the snapshot of it. */
int rows_devices_of_live(struct source *s);
