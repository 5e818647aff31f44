/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known to fail: an error of the daemon that the truthful model shows. Whoever mends it
 * takes it from the list in expected.c, which fails when one of these passes. */
#pragma once

#include <stdbool.h>

#define ANY_VARIANT "*"

/* Is this problem of a run on the list? variant NULL: without a fault. */
bool is_expected(const char *script, const char *variant, const char *problem);

bool is_listed(const char *script, const char *variant);
