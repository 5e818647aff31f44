/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form of a snapshot, for tests and bug reports. Pure. */
#pragma once

#include <stdio.h>

#include "model/snapshot.h"

/* One line a device. Returns 0 or negative errno of the stream. */
int snapshot_write(const struct snapshot *s, FILE *f);

/* Reads the text form into an empty snapshot. Returns 0, -ENOMEM, or -EINVAL with the number of the
 * line that is not understood in *ret_line. */
int snapshot_read(struct snapshot *s, const char *text, unsigned *ret_line);
