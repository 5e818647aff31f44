/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists what is in an initramfs, by the tool that the distribution made it with: only that knows
 * its parts and compressions. */
#pragma once

#include <stdint.h>

/* The tool of this host by its absolute path, or NULL. */
const char *lister_find(void);

/* Runs the tool on an open file, without a shell, and calls `line` for each line of its output.
 * Ends it after `timeout_usec`. Returns 0, -ETIMEDOUT, -EIO (it failed), or another negative
 * errno. */
int lister_run(const char *program, int file_fd, uint64_t timeout_usec,
               void (*line)(const char *text, void *data), void *data);

/* The last part of the path that a line ends with ("... usr/lib/modules/6.1/nvme.ko.xz"). */
const char *lister_name(const char *line);
