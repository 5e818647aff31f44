/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: lines of configuration files with their numbers. Pure. */
#pragma once

struct lines {
    char *rest;     /* NULL at the end; the text is cut up */
    unsigned next;  /* the number of the line that `rest` begins with */
    unsigned first; /* of the line that was given out: where it begins and ends */
    unsigned last;
};

static inline struct lines lines_of(char *text)
{
    return (struct lines){.rest = text, .next = 1};
}

/* The next line, with those that a '\' at the end joins to it (nothing stands in for it),
 * without the blanks at both ends;
 * empty ones and comments (#) are left out. NULL at the end. */
char *lines_next(struct lines *l);

/* The next word of a line, with what stands in quotes (which are dropped) as one; NULL at the end.
 * The line is cut up. */
char *lines_word(char **rest);
