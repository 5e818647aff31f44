/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: what lib/ has to say about input, collected for the caller to print or log. */
#pragma once

#include <stddef.h>

#include "base/util.h"

enum diag_level {
    DIAG_WARNING, /* worth telling; nothing is refused because of it */
    DIAG_ERROR,   /* the thing named is not used */
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
    size_t errors;   /* all that were reported, including those beyond DIAGS_MAX */
    size_t warnings; /* the same for warnings */
    size_t unread;   /* those .errors that only say that something could not be read this time */
};

/* A hostile policy must not fill the memory or the journal: past this many only counts grow. */
#define DIAGS_MAX 100

void diags_done(struct diags *d);

void diags_add(struct diags *d, enum diag_level level, const char *file, unsigned line,
               const char *format, ...) PRINTF(5, 6);

/* "file:line: text", malloc'ed; NULL when out of memory. */
char *diag_text(const struct diag *d);

/* Prints all of them as lines "error: file:line: text", and how many more were only counted. */
void diags_print(const struct diags *d, FILE *f);
