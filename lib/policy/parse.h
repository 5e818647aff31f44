/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the bytes of a policy file, or of the kernel command line, into a policy. Pure.
 *
 * The INI format is read by inih, but inih cuts section names at 49 bytes and lines at 199, merges
 * repeated sections, treats ':' as a separator, and an indented line as a further value of the key
 * above. So every line is examined here first; what inih would mangle is either refused with a
 * diagnostic, or passed on in a form that inih reads correctly. */
#pragma once

#include "policy/policy.h"

#define POLICY_FILE_MAX (1024 * 1024) /* maximum size of a file */
#define POLICY_LINE_MAX 4096          /* maximum length of a line */

/* Adds the rules of a file to the policy. They override rules of earlier files with the same name,
 * key by key. Errors are reported in d. Returns 0, -ENOMEM or -E2BIG (too many files). */
int policy_parse(struct policy *p, const char *file, const char *bytes, size_t size,
                 struct diags *d);

/* The same for a file that others than root can change. A rule in it takes no device; it counts
 * only if it is "native". A "native" rule of an earlier file stays as it is. */
int policy_parse_untrusted(struct policy *p, const char *file, const char *bytes, size_t size,
                           struct diags *d);

/* If the kernel command line has vfio_bindd.ids=, adds the rule "cmdline". *ret_off: it has
 * vfio_bindd=off or vfio_bindd.enable=0. */
int policy_parse_cmdline(struct policy *p, const char *cmdline, struct diags *d, bool *ret_off);
