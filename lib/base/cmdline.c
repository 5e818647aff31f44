/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cmdline.h"

#include <errno.h>

#include "base/util.h"

int cmdline_split(char *text, struct cmdline *ret)
{
    *ret = (struct cmdline){.text = text};
    for (char *p = text; p && *p;) {
        char *word, *to;
        bool quoted = false;
        p += strspn(p, " \t\n");
        for (word = to = p; *p && (quoted || !strchr(" \t\n", *p)); p++)
            if (*p == '"')
                quoted = !quoted;
            else
                *to++ = *p;
        if (*p)
            p++;
        *to = '\0';
        if (!*word)
            continue;
        if (!grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v)))
            return -ENOMEM;
        ret->v[ret->n++] = word;
    }
    return 0;
}

void cmdline_done(struct cmdline *c)
{
    free(c->v);
    free(c->text);
    *c = (struct cmdline){0};
}
