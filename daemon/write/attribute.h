/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only function that writes to a file in /sys. */
#pragma once

/* The path is below the root. Returns 0 or negative errno. */
int attribute_write(int root_fd, const char *path, const char *text);
