/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: reading files below the root (tree.h). */
#pragma once

#include "check/findings.h"

/* Records something that could not be examined; `r` is a negative errno. Absence (-ENOENT,
 * -ENOTDIR) is not recorded. */
void check_unseen(struct check *c, const char *what, int r);

bool check_exists(struct check *c, const char *path);

/* The whole file, malloc'ed; NULL if it does not exist or cannot be read. */
char *check_read(struct check *c, const char *path);

/* Calls `each` with the path of every entry of the folder whose name has this ending, sorted by
 * name and without hidden ones. Returns their number. `each` may be NULL. */
typedef void (*check_entry)(struct check *c, const char *path, const char *name, void *data);
size_t check_each(struct check *c, const char *folder, const char *ending, check_entry each,
                  void *data);

/* The same for every folder that may contain such configuration: "udev/rules.d" below /etc, /run,
 * /usr/local/lib and /usr/lib. A file masks files of the same name in later folders. */
void check_each_config(struct check *c, const char *folder, const char *ending, check_entry each,
                       void *data);

/* The next line of a text, without blanks at both ends; empty lines and comments (#, ;) are
 * skipped. NULL at the end. Modifies the text. */
char *check_line(char **rest);

/* Is the word on the kernel command line? A word that ends in '=' matches any value. Returns the
 * rest after the match, or NULL. If it occurs several times, the last one counts. */
const char *check_cmdline(const struct check *c, const char *word);
