/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a host below its root, for verbs that look at how it is set up. Absence is no failure;
 * whatever else kept a file from being read is noted as unseen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tree {
    int root_fd;
    char *unseen; /* what could not be looked at, and why; NULL: nothing */
    bool failed;  /* out of memory */
};

void tree_done(struct tree *t);

/* Notes what could not be looked at; `r` is a negative errno. That it is not there (-ENOENT,
 * -ENOTDIR) is no such case. */
void tree_unseen(struct tree *t, const char *what, int r);

bool tree_exists(struct tree *t, const char *path);

/* The whole file, malloc'ed; NULL if it is absent, has more than `max` bytes or cannot be read. */
char *tree_read(struct tree *t, const char *path, size_t max, size_t *ret_size);

/* Calls `each` with the path of every entry of the folder whose name ends so, in the order of their
 * names; hidden ones are left out. Returns how many there were. `each` may be NULL. */
typedef void (*tree_entry)(void *userdata, const char *path, const char *name);
size_t tree_each(struct tree *t, const char *folder, const char *ending, tree_entry each,
                 void *userdata);

/* The next line of a text, with the blanks at both ends removed and empty ones and comments (#, ;)
 * left out; NULL at the end. The text is cut up. */
char *tree_line(char **rest);
