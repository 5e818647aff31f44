/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: how its parts read files below the root (tree.h). */
#pragma once

#include "check/findings.h"

/* Notes what could not be looked at; `r` is a negative errno. That it is not there (-ENOENT,
 * -ENOTDIR) is no such case. */
void check_unseen(struct check *c, const char *what, int r);

bool check_exists(struct check *c, const char *path);

/* The whole file, malloc'ed; NULL if it is absent or cannot be read. */
char *check_read(struct check *c, const char *path);

/* Calls `each` with the path of every entry of the folder whose name ends so, in the order of their
 * names; hidden ones are left out. Returns how many there were. `each` may be NULL. */
typedef void (*check_entry)(struct check *c, const char *path, const char *name, void *data);
size_t check_each(struct check *c, const char *folder, const char *ending, check_entry each,
                  void *data);

/* The same in every folder that may hold such configuration: "udev/rules.d" below /etc, /run,
 * /usr/local/lib and /usr/lib. A file hides those of its name in the later ones. */
void check_each_config(struct check *c, const char *folder, const char *ending, check_entry each,
                       void *data);

/* The next line of a text, with the blanks at both ends removed and empty ones and comments (#, ;)
 * left out; NULL at the end. The text is cut up. */
char *check_line(char **rest);

/* Is the word on the kernel command line? One that ends in '=' matches any value. Returns what
 * follows the match, or NULL; the last one counts. */
const char *check_cmdline(const struct check *c, const char *word);
