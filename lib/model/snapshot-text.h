/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form of a snapshot, for tests and bug reports. Pure. */
#pragma once

#include <stdio.h>

#include "model/snapshot.h"

/* Writes one line per device. Returns 0 or negative errno from the stream. */
int snapshot_write(const struct snapshot *s, FILE *f);

/* Reads the text form into an empty snapshot. Returns 0, -ENOMEM, or -EINVAL; *ret_line is then the
 * number of the invalid line. */
int snapshot_read(struct snapshot *s, const char *text, unsigned *ret_line);
