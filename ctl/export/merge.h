/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds devices to the object of a cluster that is on standard input, or makes a patch for it. */
#pragma once

#include "export/permit.h"

/* Writes the changed object, or the patch. The object may have any of the n versions. Returns 0 or
 * an exit code. */
int permit_merge(struct export *e, const struct permit_target versions[], size_t n);
