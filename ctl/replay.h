/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form of a report: reads what "vfio-bindctl report" wrote (report.c). Lines:
 *
 *     vfio-bindctl report 1          first of all
 *     # ...                          a remark
 *     version|kernel|systemd|... V   for the reader; not used
 *     cmdline WORDS                  what the policy can see of the kernel command line
 *     policy NAME                    followed by the file's lines, each with "|" before it
 *     unreadable NAME<TAB>TEXT       a policy file that could not be read
 *     policy-unread 1                the daemon cannot read all of the policy either
 *     boot-display ADDRESS
 *     manager NAME=VALUE             what the daemon said of itself; without any it did not run
 *     live ADDRESS NAME=VALUE        ... and of a device
 *     snapshot, registered, device   the text form of lib/model/snapshot.h
 *
 * In values line ends and '%' are written as %0a and %25. */
#pragma once

#include "source.h"

#define REPORT_FIRST_LINE "vfio-bindctl report 1"

/* Fills texts, policy, snapshot and the daemon's data. Returns 0, or an exit code. */
int replay_read(struct source *s, const char *path);
