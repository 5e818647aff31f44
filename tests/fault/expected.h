/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults that the daemon does not survive, each with the reason in expected.c. A run fails when one
 * of these passes, unless that depends on the moment. */
#pragma once

#include <stdbool.h>

#define ANY_VARIANT "*"

/* Is this problem of a run on the list? variant NULL: without a fault. */
bool is_expected(const char *script, const char *variant, const char *problem);

bool is_listed(const char *script, const char *variant);
