/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: messages of lib/ about its input. The caller prints or logs them. */
#pragma once

#include <stddef.h>

#include "base/util.h"

enum diag_level {
    DIAG_WARNING, /* reported, but nothing is refused because of it */
    DIAG_ERROR,   /* the item it is about is not used */
};

struct diag {
    enum diag_level level;
    char *file;    /* as the administrator knows it, or NULL */
    unsigned line; /* from 1; 0: the file as a whole */
    char *text;    /* what is wrong, and what to write instead */
};

struct diags {
    struct diag *v;
    size_t n, allocated;
    size_t errors;   /* all errors, including those beyond DIAGS_MAX */
    size_t warnings; /* the same for warnings */
    size_t unread;   /* errors that say that something was not read */
    size_t denied;   /* of these, for lack of permission */
};

/* Bounds the memory and the journal against a hostile policy: further messages are only counted. */
#define DIAGS_MAX 100

void diags_done(struct diags *d);

void diags_add(struct diags *d, enum diag_level level, const char *file, unsigned line,
               const char *format, ...) PRINTF(5, 6);

/* "file:line: text", malloc'ed; NULL when out of memory. */
char *diag_text(const struct diag *d);

/* Prints each as a line "error: file:line: text", and how many more were only counted. */
void diags_print(const struct diags *d, FILE *f);
