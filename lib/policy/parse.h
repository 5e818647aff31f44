/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of a policy file, or of the kernel command line, into a policy. Pure.
 *
 * inih does the INI reading, but it cuts section names at 49 bytes and lines at 199, merges
 * repeated sections, takes ':' as a separator and an indented line as a further value of the key
 * above. So every line is looked at here first; what inih would mangle is either refused with a
 * diagnostic or handed over in a form that survives. */
#pragma once

#include "policy/policy.h"

#define POLICY_FILE_MAX (1024 * 1024) /* bytes of one file */
#define POLICY_LINE_MAX 4096          /* bytes of one line */

/* Adds a file's rules to the policy. A rule that an earlier file has is overridden key by key.
 * Errors go to d. Returns 0, or -ENOMEM, -E2BIG (too many files). */
int policy_parse(struct policy *p, const char *file, const char *bytes, size_t size,
                 struct diags *d);

/* The same of a file that others than root can change. A rule that it says anything of takes no
 * device: it counts only if it is "native". A "native" rule of an earlier file stays as it is. */
int policy_parse_untrusted(struct policy *p, const char *file, const char *bytes, size_t size,
                           struct diags *d);

/* Adds the rule "cmdline" from vfio_bindd.ids= if the kernel command line has it.
 * *ret_off: vfio_bindd=off or vfio_bindd.enable=0 is there. */
int policy_parse_cmdline(struct policy *p, const char *cmdline, struct diags *d, bool *ret_off);
