/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: lines of configuration files, with their numbers. Pure. */
#pragma once

struct lines {
    char *rest;     /* NULL at the end; the text is modified */
    unsigned next;  /* the number of the first line in `rest` */
    unsigned first; /* the first and last number of the line that was returned */
    unsigned last;
};

static inline struct lines lines_of(char *text)
{
    return (struct lines){.rest = text, .next = 1};
}

/* The next line without blanks at both ends, joined with the following ones if it ends in '\'
 * (which is dropped). Empty lines and comments (#) are skipped. NULL at the end. */
char *lines_next(struct lines *l);

/* The next word of a line; a quoted part belongs to one word, without the quotes. NULL at the end.
 * Modifies the line. */
char *lines_word(char **rest);
