/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says whether a policy is valid: for both programs, in the same words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads the policy below the root, or, if n > 0, just these files, each overriding the ones before
 * it. Errors and warnings go to standard error, a summary to standard output, nothing if quiet.
 * True: no error. */
bool policy_verify(int root_fd, char *const *files, size_t n, bool quiet);
