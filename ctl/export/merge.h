/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices put into the object of the cluster that is on standard input, or a patch for it. */
#pragma once

#include "export/permit.h"

/* Writes what becomes of the object on standard input, which may be in any of n versions. Returns 0
 * or an exit code. */
int permit_merge(struct export *e, const struct permit_target versions[], size_t n);
