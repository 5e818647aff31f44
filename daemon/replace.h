/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file atomically: a reader gets either the old one or the new one. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Writes a hidden temporary file in the same folder, and renames it. If `name` is a link, the link
 * is replaced, not followed. On failure (a full disk) the old file stays unchanged, and no
 * temporary file is left. Not synced: after a crash the file is made again. Returns 0 or negative
 * errno. */
int replace_file(int dir_fd, const char *name, mode_t mode, const char *bytes, size_t size);
