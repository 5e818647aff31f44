/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/lines.h"

#include "base/util.h"

static char *without_blanks(char *line, char *end)
{
    while (end > line && strchr(" \t\r", end[-1]))
        end--;
    *end = '\0';
    return line + strspn(line, " \t");
}

char *lines_next(struct lines *l)
{
    while (l->rest) {
        char *line = l->rest, *to = line;
        bool comment = line[strspn(line, " \t")] == '#', joined;

        l->first = l->next;
        do {
            char *from = l->rest;
            size_t n = strcspn(from, "\n");
            bool last = !from[n];
            joined = !comment && !last && n > 0 && from[n - 1] == '\\';
            l->rest = last ? NULL : from + n + 1;
            l->last = l->next++;
            memmove(to, from, n - joined);
            to += n - joined;
        } while (joined);
        line = without_blanks(line, to);
        if (*line && !comment)
            return line;
    }
    return NULL;
}

char *lines_word(char **rest)
{
    char *word, *to, quote = '\0';

    if (!*rest)
        return NULL;
    *rest += strspn(*rest, " \t");
    if (!**rest)
        return NULL;
    word = to = *rest;
    for (char *c = word;; c++) {
        if (!*c || (!quote && is_blank(*c))) {
            *rest = *c ? c + 1 : c;
            *to = '\0';
            return word;
        }
        if (quote ? *c == quote : *c == '"' || *c == '\'')
            quote = quote ? '\0' : *c;
        else
            *to++ = *c;
    }
}
