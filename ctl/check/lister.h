/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists the contents of an initramfs with the tool of the distribution, since only that knows its
 * parts and compression. */
#pragma once

#include <stdint.h>

/* The absolute path of this host's tool, or NULL. */
const char *lister_find(void);

/* Runs the tool on an open file, without a shell, and calls `line` for each line of its output.
 * Kills it after `timeout_usec`. Returns 0, -ETIMEDOUT, -EIO (it failed), or another negative
 * errno. */
int lister_run(const char *program, int file_fd, uint64_t timeout_usec,
               void (*line)(const char *text, void *data), void *data);

/* The last component of the path at the end of a line ("... usr/lib/modules/6.1/nvme.ko.xz"). */
const char *lister_name(const char *line);
