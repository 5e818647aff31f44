/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy as the administrator wrote it: the text of each file, in order of precedence. This is
 * for code that needs the text itself: to print it, to replace a file in a plan, or to include it
 * in a report. */
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
    bool unread;             /* the daemon cannot read them either, and trusts no other rule */
    size_t hidden;           /* how many of them only root may read, which we are not */
};

void texts_done(struct texts *t);

/* Finds and reads the files below the root. Returns 0 or negative errno. */
int texts_load(int root_fd, struct texts *ret);

/* Takes ownership of `bytes` on success. Returns 0 or -ENOMEM. */
int texts_add(struct texts *t, const char *name, char *bytes, size_t size);

/* Is the main file one on trial (policy/trial.h)? */
bool texts_are_on_trial(const struct texts *t);

/* The main file (not a drop-in), or NULL. */
struct text *texts_main(const struct texts *t);

/* Replaces the text of the main file; takes ownership of `bytes` on success. */
int texts_replace_main(struct texts *t, const char *name, char *bytes, size_t size);

/* The drop-in with this path, or NULL. */
const struct text *texts_find(const struct texts *t, const char *name);

/* Adds a drop-in at its place among the others; takes ownership of `bytes` on success. Returns 0,
 * -EEXIST (there is one with this file name, in any folder) or -ENOMEM. */
int texts_add_dropin(struct texts *t, const char *name, char *bytes, size_t size);

void texts_remove(struct texts *t, const char *name);

/* Makes the policy from the texts, like policy_load(). Returns 0 or negative errno. */
int texts_parse(const struct texts *t, struct policy *p, struct diags *d, bool *ret_off);

/* What corrects an error in this file of the policy (NULL: in none that exists): a command, or a
 * remark for the reader that begins with '#'. */
void texts_remedy(const char *file, char *buf, size_t size);

/* A line of a file as written, malloc'ed; NULL if there is none. */
char *texts_line(const struct texts *t, const char *file, unsigned line);
