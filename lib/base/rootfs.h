/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files below a root directory: "/" or the tree given by --root. Paths have no leading slash.
 * Absolute symbolic links are resolved within the root. */
#pragma once

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens the root itself. A process opens at most one root that is not "/". Returns a descriptor or
 * negative errno. */
int rootfs_open_root(const char *path);

/* Opens a file, with O_CLOEXEC. Returns a descriptor or negative errno. */
int rootfs_open(int root_fd, const char *path, int flags);

/* Opens a folder for readdir(). Returns 0 or negative errno; *ret is NULL on failure. */
int rootfs_open_dir(int root_fd, const char *path, DIR **ret);

/* The same, but a folder that is gone (fact.h) counts as empty: the function returns 0, and *ret is
 * NULL. */
int rootfs_list(int root_fd, const char *path, DIR **ret);

/* The next entry whose name does not begin with a dot. Returns 1, 0 (the end, or dir is NULL), or
 * negative errno; after an error there may be more entries. */
int rootfs_next(DIR *dir, const struct dirent **ret);

/* Does the file exist? Returns 1, 0 (gone) or negative errno. Does not follow a link in the last
 * component. */
int rootfs_exists(int fd, const char *path);

/* Reads the last component of a symbolic link's target. Returns 1, 0 (there is no such link) or
 * negative errno; buf is written only if it returns 1. */
int rootfs_link_name(int fd, const char *path, char buf[static NAME_MAX + 1]);

/* Is it a link to /dev/null, which masks the unit, drop-in or rule of this name? (Below --root
 * there may be no /dev/null.) Returns 1, 0 (another file, or none) or negative errno. */
int rootfs_is_mask(int root_fd, const char *path);

/* Calls `take` with each line of a file, without the newline. A line may have any length. If `take`
 * returns an error, the walk ends and returns that error. Returns 0 or negative errno. */
typedef int rootfs_take_line(void *userdata, char *line);
int rootfs_each_line(int root_fd, const char *path, rootfs_take_line *take, void *userdata);

/* Reads a small file, typically an attribute in /sys, into buf as a string without the trailing
 * newline. Returns its length, -E2BIG if it does not fit, or another negative errno. */
int rootfs_read_line(int root_fd, const char *path, char *buf, size_t size);

/* Reads a regular file of at most `max` bytes into malloc'ed memory, and adds a NUL. Never blocks
 * on a FIFO or device. Returns 0, -EFBIG, -EISDIR, -EINVAL (neither file nor directory) or another
 * negative errno; outputs are untouched on failure. */
int rootfs_read_file(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size);

/* The same for a file that only root may be able to change (trust.h). Returns -EPERM if others can;
 * *ret_why then says why, and what to do about it, malloc'ed. With `anyway` the file is read
 * nevertheless, and the function returns 0; *ret_why is NULL if the file can be trusted. */
int rootfs_read_trusted(int root_fd, const char *path, size_t max, bool anyway, char **ret,
                        size_t *ret_size, char **ret_why);

/* Opens a folder by its absolute path without following a symbolic link in any component: others
 * may own parts of the path, and redirect it. Returns a descriptor (O_PATH), -ELOOP (a component is
 * a link) or another negative errno. */
int rootfs_open_no_links(const char *path);

/* rootfs_read_file() for a file in an open folder. Returns -ELOOP if it is a link. */
int rootfs_read_no_link(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_size);

/* Can only root change this open file or folder, and the folders above it? Returns 1, 0 (*ret_why
 * as above) or negative errno. */
int rootfs_is_trusted(int root_fd, int fd, const char *path, char **ret_why);
