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
        char *line = l->rest, *end;
        bool comment = line[strspn(line, " \t")] == '#', joined;

        l->first = l->next;
        do {
            end = l->rest + strcspn(l->rest, "\n");
            joined = !comment && *end && end > l->rest && end[-1] == '\\';
            l->rest = *end ? end + 1 : NULL;
            l->last = l->next++;
            if (joined)
                end[-1] = *end = ' ';
        } while (joined);
        line = without_blanks(line, end);
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
