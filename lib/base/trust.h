/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that decide what root does belong to root, and nobody else can write to them. Below --root
 * DIR: to root or the owner of DIR, and only those can write to them who can write to DIR itself. A
 * group that can write is a stranger, even root's own group: where a file has an access control
 * list, the group's bits stand for everybody on it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define TRUST_TEXT_MAX 9000 /* two paths */

/* `root` is the root folder. If the file is not to be trusted, says why and what to do about it,
 * beginning with a verb: "can be written by everybody: run "chmod go-w PATH"". */
bool trust_judge(const struct stat *file, const struct stat *root, const char *path,
                 char ret_why[static TRUST_TEXT_MAX]);
