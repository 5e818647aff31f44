/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy as the administrator wrote it: the text of each of its files, in the order in which
 * they count. What lib/ makes of it is the policy; this serves what needs the text itself: showing
 * it, exchanging one file in thought, and carrying it in a report. */
#pragma once

#include "policy/policy.h"

struct text {
    char *name;
    char *bytes;
    size_t size;
    bool untrusted; /* others than root can change it */
};

struct texts {
    struct text *v; /* from the lowest precedence to the highest */
    size_t n, allocated;
    char *cmdline;           /* the kernel command line, or NULL */
    struct diags unreadable; /* files that could not be read */
};

void texts_done(struct texts *t);

/* Finds and reads the files below the root. Returns 0 or negative errno. */
int texts_load(int root_fd, struct texts *ret);

/* Takes over `bytes` on success. Returns 0 or -ENOMEM. */
int texts_add(struct texts *t, const char *name, char *bytes, size_t size);

/* Is the main file one on trial (policy/trial.h)? */
bool texts_are_on_trial(const struct texts *t);

/* The main file (not a drop-in), or NULL. */
struct text *texts_main(const struct texts *t);

/* Puts another text in the place of the main file; takes over `bytes` on success. */
int texts_replace_main(struct texts *t, const char *name, char *bytes, size_t size);

/* The drop-in of this path, or NULL. */
const struct text *texts_find(const struct texts *t, const char *name);

/* Adds a drop-in, in its place among the others; takes over `bytes` on success. Returns 0, -EEXIST
 * (one of this file name is there, in whatever folder) or -ENOMEM. */
int texts_add_dropin(struct texts *t, const char *name, char *bytes, size_t size);

void texts_remove(struct texts *t, const char *name);

/* Makes the policy of them, as policy_load() would. Returns 0 or negative errno. */
int texts_parse(const struct texts *t, struct policy *p, struct diags *d, bool *ret_off);

/* A line of a file as written, malloc'ed; NULL if there is none. */
char *texts_line(const struct texts *t, const char *file, unsigned line);
