/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that decides what root does must belong to root, and nobody else may be able to write to
 * it. Below --root DIR it must belong to root or the owner of DIR, and only those who can write to
 * DIR itself may write to it. A group with write permission is not trusted, not even root's own
 * group: if the file has an access control list, the group's bits apply to everybody in it.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define TRUST_TEXT_MAX 9000 /* room for two paths */

/* Returns whether the file can be trusted; `root` is the root folder. If not, `buf` gets the reason
 * and the remedy, beginning with a verb: "can be written by everybody: run "chmod go-w PATH"". */
bool trust_judge(const struct stat *file, const struct stat *root, const char *path,
                 char ret_why[static TRUST_TEXT_MAX]);
