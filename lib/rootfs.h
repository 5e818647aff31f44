/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files below a root directory descriptor ("/" or the tree given by --root). Paths have no leading
 * slash. Absolute symbolic links stay inside the root. */
#pragma once

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>

/* Opens the root itself; a process has one that is not "/" at most. Returns a descriptor or
 * negative errno. */
int rootfs_open_root(const char *path);

/* Opens a file; O_CLOEXEC is added. Returns a descriptor or negative errno. */
int rootfs_open(int root_fd, const char *path, int flags);

/* The same in a folder that was opened below the root; no link leads out of it. */
int rootfs_open_below(int folder_fd, const char *path, int flags);

/* Opens a folder for readdir(). Returns 0 or negative errno; *ret is NULL on failure. */
int rootfs_open_dir(int root_fd, const char *path, DIR **ret);

/* Reads a small file, attributes of /sys above all, into buf, without the line end, as a string.
 * Returns its length, -E2BIG if it does not fit, or another negative errno. */
int rootfs_read_line(int root_fd, const char *path, char *buf, size_t size);

/* Reads a regular file of at most `max` bytes, malloc'ed, with a NUL behind it. Never blocks on a
 * FIFO or device. Returns 0, -EFBIG, -EISDIR, -EINVAL (neither file nor directory) or another
 * negative errno; outputs are untouched on failure. */
int rootfs_read_file(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size);
