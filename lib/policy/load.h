/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds and reads the files of the policy, by the rules of UAPI.6: a main file, and drop-ins in
 * folders of decreasing precedence; a file masks others of the same name. */
#pragma once

#include <stdbool.h>

#include "policy/policy.h"

/* Reads the policy below a root directory: a main file on trial (trial.h), otherwise the first one
 * in /etc, /run, /usr/local/lib and /usr/lib; all drop-ins; and the kernel command line. All
 * problems are reported in d; the policy gets everything without errors. What may have rules and
 * was not read, for whatever reason, is counted in d->unread. It is not an error if there is no
 * file at all. *ret_off: the command line disables vfio-bindd. The policy must be initialised. */
void policy_load(int root_fd, struct policy *p, struct diags *d, bool *ret_off);

/* The same without a policy on trial (trial.h) and without drop-ins in /run, which may also mask
 * others: the policy of future boots. */
void policy_load_lasting(int root_fd, struct policy *p, struct diags *d, bool *ret_off);

/* For a check: reads only these files, each overriding the ones before it. */
void policy_load_files(char *const *files, size_t n, struct policy *p, struct diags *d);
