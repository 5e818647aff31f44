/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file as a whole: whoever reads sees the old one or the new one. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Writes a hidden temporary file beside it, which is then renamed. If the name is a link, the link
 * is replaced, not followed. On failure (a full disk) the old file stays as it was, and no
 * temporary one is left. Not synced: after a crash the file is made anew. Returns 0 or negative
 * errno. */
int replace_file(int dir_fd, const char *name, mode_t mode, const char *bytes, size_t size);
