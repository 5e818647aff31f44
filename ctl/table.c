/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <wchar.h>

#include "base/printable-stream.h"
#include "base/printable.h"

/* A narrower column would be useless; then the terminal wraps the line. */
#define LAST_COLUMN_MIN 8
#define TREE_BRANCH 2 /* columns for each level of a tree */

void table_init(struct table *t, const struct ctl *c, const struct column *columns, size_t n)
{
    *t = (struct table){.scols = scols_new_table(), .n_columns = n, .headings = !c->no_legend};
    if (!t->scols) {
        t->failed = true;
        return;
    }
    scols_table_enable_minout(t->scols, true); /* no blanks at the end of lines */
    scols_table_enable_noheadings(t->scols, c->no_legend);
    scols_table_enable_colors(t->scols, c->colour);
    scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_NEVER); /* table_fit() does this */
    for (size_t i = 0; i < n; i++)
        if (!scols_table_new_column(t->scols, columns[i].name, 0, columns[i].flags))
            t->failed = true;
}

void table_done(struct table *t)
{
    scols_unref_table(t->scols);
    t->scols = NULL;
}

struct libscols_line *table_line(struct table *t, struct libscols_line *parent)
{
    struct libscols_line *line = t->scols ? scols_table_new_line(t->scols, parent) : NULL;

    if (!line)
        t->failed = true;
    return line;
}

void table_set(struct table *t, struct libscols_line *line, size_t column, const char *text)
{
    CLEANUP_FREE char *clean = line && text && *text ? printable_lines(text) : NULL;

    if (line && text && *text && (!clean || scols_line_set_data(line, column, clean) != 0))
        t->failed = true;
}

void table_set_colour(struct table *t, struct libscols_line *line, size_t column,
                      const char *colour)
{
    struct libscols_cell *cell = line ? scols_line_get_cell(line, column) : NULL;

    (void)t;
    if (cell && colour)
        scols_cell_set_color(cell, colour);
}

/* -- fitting -- */

/* How many bytes of the text fit into `max` columns of a terminal; *ret_width is the number of
 * columns that these take. Bytes that are not text in this locale count as one column each. */
static size_t fitting_bytes(const char *text, size_t max, size_t *ret_columns)
{
    mbstate_t state = {0};
    size_t at = 0, columns = 0;

    while (text[at]) {
        wchar_t c;
        size_t n = mbrtowc(&c, text + at, strlen(text + at), &state);
        int wide = n <= MB_LEN_MAX ? wcwidth(c) : 1;
        if (n > MB_LEN_MAX) {
            n = 1;
            state = (mbstate_t){0};
        }
        if (columns + (wide > 0 ? (size_t)wide : 0) > max)
            break;
        columns += wide > 0 ? (size_t)wide : 0;
        at += n;
    }
    *ret_columns = columns;
    return at;
}

static size_t width_of(const char *text)
{
    size_t columns = 0;

    if (text)
        fitting_bytes(text, SIZE_MAX, &columns);
    return columns;
}

static size_t depth_of(struct libscols_line *line)
{
    size_t depth = 0;

    while ((line = scols_line_get_parent(line)))
        depth++;
    return depth;
}

/* The width of all columns but the last one, including the blanks between columns. */
static size_t width_before_last(struct table *t)
{
    size_t sum = 0, n_lines = scols_table_get_nlines(t->scols);

    for (size_t i = 0; i + 1 < t->n_columns; i++) {
        struct libscols_column *column = scols_table_get_column(t->scols, i);
        bool tree = scols_column_get_flags(column) & SCOLS_FL_TREE;
        size_t widest = t->headings ? width_of(scols_column_get_name(column)) : 0;
        for (size_t j = 0; j < n_lines; j++) {
            struct libscols_line *line = scols_table_get_line(t->scols, j);
            size_t width = width_of(scols_cell_get_data(scols_line_get_cell(line, i))) +
                           (tree ? TREE_BRANCH * depth_of(line) : 0);
            widest = width > widest ? width : widest;
        }
        sum += widest + 1;
    }
    return sum;
}

static void shorten(struct table *t, struct libscols_cell *cell, size_t room)
{
    const char *text = scols_cell_get_data(cell);
    bool utf8 = streq(nl_langinfo(CODESET), "UTF-8");
    size_t columns;
    char *cut;

    if (width_of(text) <= room)
        return;
    int n = (int)fitting_bytes(text, room - (utf8 ? 1 : 3), &columns);
    while (n > 0 && text[n - 1] == ' ')
        n--;
    if (asprintf(&cut, "%.*s%s", n, text, utf8 ? "…" : "...") < 0) {
        t->failed = true;
        return;
    }
    if (scols_cell_set_data(cell, cut) != 0)
        t->failed = true;
    free(cut);
}

void table_fit(struct table *t, unsigned width)
{
    size_t before = t->scols && width > 0 ? width_before_last(t) : 0;

    if (!t->scols || width < before + LAST_COLUMN_MIN)
        return;
    for (size_t i = 0; i < scols_table_get_nlines(t->scols); i++)
        shorten(t, scols_line_get_cell(scols_table_get_line(t->scols, i), t->n_columns - 1),
                width - before);
}

/* The stream stdout would escape colours, so it is bypassed. */
static int print_coloured(struct table *t)
{
    CLEANUP_FREE char *text = NULL;

    if (t->failed || scols_print_table_to_string(t->scols, &text) != 0 || !text)
        return -ENOMEM;
    int r = printable_bypass(stdout, text);
    return r >= 0 && *text ? printable_bypass(stdout, "\n") : r;
}

int table_print(struct table *t)
{
    if (t->scols && scols_table_colors_wanted(t->scols)) {
        int r = print_coloured(t);
        return r < 0 ? ctl_errno(r) : EXIT_SUCCESS;
    }
    return t->failed || scols_print_table(t->scols) != 0 ? ctl_errno(-ENOMEM) : EXIT_SUCCESS;
}
