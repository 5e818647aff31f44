/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces a file as a whole: whoever reads sees the old one or the new one. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Writes a hidden temporary file beside it, which is then renamed. A link of the name itself is
 * replaced, not followed. On failure (a full disk) the old file stays as it was, and no temporary
 * one is left. Not synced: who needs the file after a crash makes it anew. Returns 0 or negative
 * errno. */
int replace_file(int dir_fd, const char *name, mode_t mode, const char *bytes, size_t size);
