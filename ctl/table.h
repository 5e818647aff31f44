/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables and trees, through libsmartcols. Errors (out of memory) are remembered and reported by
 * table_print(), so that callers need not check each cell. */
#pragma once

#include <libsmartcols/libsmartcols.h>

#include "ctl.h"

struct column {
    const char *name; /* upper case */
    int flags;        /* SCOLS_FL_... */
};

struct table {
    struct libscols_table *scols;
    size_t n_columns;
    bool headings;
    bool failed;
};

void table_init(struct table *t, const struct ctl *c, const struct column *columns, size_t n);
void table_done(struct table *t);

/* A new line, in a tree below `parent`; NULL on failure, which the other functions accept. */
struct libscols_line *table_line(struct table *t, struct libscols_line *parent);

/* text NULL: empty. */
void table_set(struct table *t, struct libscols_line *line, size_t column, const char *text);
void table_set_colour(struct table *t, struct libscols_line *line, size_t column,
                      const char *colour);

/* Limits the width of the table (0: no limit): texts in the last column are cut and end with an
 * ellipsis. The other columns are not cut. */
void table_fit(struct table *t, unsigned width);

/* Returns the exit code. */
int table_print(struct table *t);
