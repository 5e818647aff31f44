/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables, trees and JSON, through libsmartcols. Errors (out of memory) are kept and come out of
 * table_print(), so that callers need not look after each cell. */
#pragma once

#include <libsmartcols/libsmartcols.h>

#include "ctl.h"

struct column {
    const char *name; /* upper case; the key in JSON is the lower case of it */
    double width;     /* hint, as libsmartcols has it */
    int flags;        /* SCOLS_FL_... */
    int json;         /* SCOLS_JSON_... */
};

struct table {
    struct libscols_table *scols;
    bool json;
    bool failed;
};

/* `name` is the key of the array in JSON. */
void table_init(struct table *t, const struct ctl *c, const char *name,
                const struct column *columns, size_t n);
void table_done(struct table *t);

/* A new line, below `parent` in a tree; NULL on failure, which the others accept. */
struct libscols_line *table_line(struct table *t, struct libscols_line *parent);

/* text NULL: empty, null in JSON. For booleans "yes" and "no", for arrays one item a line. */
void table_set(struct table *t, struct libscols_line *line, size_t column, const char *text);
void table_set_colour(struct table *t, struct libscols_line *line, size_t column,
                      const char *colour);

/* Prints for this width also where the output is no terminal. */
void table_fit(struct table *t, unsigned width);

/* Returns the exit code. */
int table_print(struct table *t);

/* JSON with more than a table: `head` is the inside of an object ("\"a\": 1"), the table follows as
 * a further member. Returns the exit code. */
int table_print_after(struct table *t, const char *head);

/* Writes a JSON string with its quotes, or null. */
void json_string(FILE *f, const char *s);
