/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files below the root of a host, for verbs that examine its configuration. It is not an error if a
 * file does not exist; other errors are recorded as unseen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tree {
    int root_fd;
    char *unseen; /* what could not be examined, and why; NULL: nothing */
    bool failed;  /* out of memory */
};

void tree_done(struct tree *t);

/* Records something that could not be examined; `r` is a negative errno. Absence (-ENOENT,
 * -ENOTDIR) is not recorded. */
void tree_unseen(struct tree *t, const char *what, int r);

bool tree_exists(struct tree *t, const char *path);

/* The whole file, malloc'ed; NULL if it does not exist, has more than `max` bytes, or cannot be
 * read. */
char *tree_read(struct tree *t, const char *path, size_t max, size_t *ret_size);

/* Calls `each` with the path of every entry of the folder whose name has this ending, sorted by
 * name and without hidden ones. Returns their number. `each` may be NULL. */
typedef void (*tree_entry)(void *userdata, const char *path, const char *name);
size_t tree_each(struct tree *t, const char *folder, const char *ending, tree_entry each,
                 void *userdata);

/* The next line of a text, without blanks at both ends; empty lines and comments (#, ;) are
 * skipped. NULL at the end. Modifies the text. */
char *tree_line(char **rest);
