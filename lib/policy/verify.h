/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks whether a policy is valid. Daemon and client share this, so they print the same
 * messages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads the policy below the root or, if n > 0, only these files, each overriding the ones before
 * it. Errors and warnings go to standard error, a summary to standard output (unless quiet).
 * Returns true if there is no error. */
bool policy_verify(int root_fd, char *const *files, size_t n, bool quiet);
