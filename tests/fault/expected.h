/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults after which a run is known to fail, each with the reason in expected.c. If such a run
 * passes, the test fails, unless the result depends on the moment. */
#pragma once

#include <stdbool.h>

#define ANY_VARIANT "*"

/* Is this problem of a run on the list? variant NULL: without a fault. */
bool is_expected(const char *script, const char *variant, const char *problem);

bool is_listed(const char *script, const char *variant);
