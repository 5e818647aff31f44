/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what the daemon would do with the rules, now and at the next boot. */
#pragma once

#include "import/found.h"

/* Adds sentences about devices that the rules (`text`), together with the existing policy, would
 * not take now. If the next boot takes one, its sentence says so. Returns 0 or negative errno. */
int import_outlook(struct source *s, const char *text, size_t size, struct list *ret);
