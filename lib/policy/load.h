/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds and reads the policy's files, by the rules of UAPI.6: a main file, drop-ins in folders of
 * falling precedence, masking by name. */
#pragma once

#include <stdbool.h>

#include "policy/policy.h"

/* Reads the policy below a root directory: a main file on trial (trial.h), else the first one of
 * /etc, /run, /usr/local/lib and /usr/lib; all drop-ins, and the kernel command line. Whatever is
 * wrong goes to d; what is sound is in the policy. What cannot be read now, for want of memory,
 * too, is counted in d->unread. No file at all is no error. *ret_off: the command line disables
 * vfio-bindd. The policy must be initialised. */
void policy_load(int root_fd, struct policy *p, struct diags *d, bool *ret_off);

/* The same without what is on trial (trial.h): the policy of the boots to come. */
void policy_load_lasting(int root_fd, struct policy *p, struct diags *d, bool *ret_off);

/* Reads just these files, each overriding the ones before it, for a check. */
void policy_load_files(char *const *files, size_t n, struct policy *p, struct diags *d);
