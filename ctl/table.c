/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <errno.h>

#include "base/printable-stream.h"
#include "base/printable.h"

void table_init(struct table *t, const struct ctl *c, const char *name,
                const struct column *columns, size_t n)
{
    *t = (struct table){.scols = scols_new_table(), .json = c->json};
    if (!t->scols) {
        t->failed = true;
        return;
    }
    scols_table_set_name(t->scols, name);
    scols_table_enable_json(t->scols, c->json);
    scols_table_enable_minout(t->scols, true); /* no blanks at the end of lines */
    scols_table_enable_noheadings(t->scols, c->no_legend);
    scols_table_enable_colors(t->scols, c->colour && !c->json);
    for (size_t i = 0; i < n; i++) {
        bool array = c->json && columns[i].json == SCOLS_JSON_ARRAY_STRING;
        struct libscols_column *column =
            scols_table_new_column(t->scols, columns[i].name, columns[i].width,
                                   columns[i].flags | (array ? SCOLS_FL_WRAP : 0));
        if (!column) {
            t->failed = true;
            continue;
        }
        scols_column_set_json_type(column, columns[i].json);
        if (array) /* one item a line */
            scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
    }
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

    if (cell && colour && !t->json)
        scols_cell_set_color(cell, colour);
}

void table_fit(struct table *t, unsigned width)
{
    if (!t->scols)
        return;
    scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_ALWAYS);
    scols_table_set_termwidth(t->scols, width);
}

/* A full disk or a closed pipe is a failure, too. */
static int flush_output(void)
{
    return fflush(stdout) != 0 || ferror(stdout)
               ? ctl_error("cannot write the output: %s", strerror(errno))
               : EXIT_SUCCESS;
}

/* libsmartcols writes an empty array as one that holds null: an empty one it shall be. */
static void empty_arrays(char *text)
{
    char *to = text;

    while (*text) {
        *to++ = *text;
        if (*text++ != '[')
            continue;
        const char *inside = after_prefix(text + strspn(text, " \n"), "null");
        if (inside && inside[strspn(inside, " \n")] == ']')
            text += strcspn(text, "]");
    }
    *to = '\0';
}

/* Returns the JSON, malloc'ed; NULL on failure. */
static char *table_json(struct table *t)
{
    char *text = NULL;

    if (t->failed || scols_print_table_to_string(t->scols, &text) != 0 || !text) {
        free(text);
        return NULL;
    }
    empty_arrays(text);
    return text;
}

/* Colours would not get through stdout, where nothing but text goes. */
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
    if (t->json) {
        CLEANUP_FREE char *text = table_json(t);
        if (!text)
            return ctl_errno(-ENOMEM);
        fputs(text, stdout);
    } else if (t->scols && scols_table_colors_wanted(t->scols)) {
        int r = print_coloured(t);
        if (r < 0)
            return ctl_errno(r);
    } else if (t->failed || scols_print_table(t->scols) != 0) {
        return ctl_errno(-ENOMEM);
    }
    return flush_output();
}

int table_print_after(struct table *t, const char *head)
{
    CLEANUP_FREE char *text = table_json(t);
    const char *inside = text ? strchr(text, '{') : NULL;

    if (!inside)
        return ctl_errno(-ENOMEM);
    printf("{\n   %s,%s", head, inside + 1);
    return flush_output();
}

void json_string(FILE *f, const char *s)
{
    if (!s) {
        fputs("null", f);
        return;
    }
    CLEANUP_FREE char *clean = printable_lines(s);
    fputc('"', f);
    for (const char *c = clean ? clean : "out of memory"; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if (*c == '\n' || *c == '\t')
            fprintf(f, "\\%c", *c == '\n' ? 'n' : 't');
        else
            fputc(*c, f);
    }
    fputc('"', f);
}
