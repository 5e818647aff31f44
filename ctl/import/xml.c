/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/xml.h"

#include "base/util.h"

static const char blanks[] = " \t\r\n";

static void advance(struct xml *x, const char *to)
{
    for (; x->at < to; x->at++)
        x->line += *x->at == '\n';
}

/* Skips everything up to and including `mark`, or to the end of the text. */
static void skip_past(struct xml *x, const char *mark)
{
    const char *found = strstr(x->at, mark);

    x->broken = !found;
    advance(x, found ? found + strlen(mark) : x->at + strlen(x->at));
}

/* The '>' that ends a tag, outside of quotes; NULL if there is none. */
static const char *end_of_tag(const char *at)
{
    for (; *at && *at != '>'; at++)
        if (*at == '"' || *at == '\'') {
            at = strchr(at + 1, *at);
            if (!at)
                return NULL;
        }
    return *at ? at : NULL;
}

bool xml_next(struct xml *x, struct xml_tag *ret)
{
    while (!x->broken) {
        const char *open = strchr(x->at, '<');
        advance(x, open ? open : x->at + strlen(x->at));
        if (!open)
            return false;
        if (after_prefix(open, "<!--")) {
            skip_past(x, "-->");
        } else if (after_prefix(open, "<![CDATA[")) {
            skip_past(x, "]]>");
        } else if (open[1] == '?' || open[1] == '!') {
            skip_past(x, ">");
        } else {
            const char *end = end_of_tag(open), *name = open + 1 + (open[1] == '/');
            x->broken = !end;
            if (!end)
                return false;
            size_t n = strcspn(name, "/> \t\r\n");
            *ret = (struct xml_tag){.name = name,
                                    .n_name = n,
                                    .attributes = name + n,
                                    .end = end,
                                    .closes = open[1] == '/',
                                    .empty = end[-1] == '/',
                                    .line = x->line};
            advance(x, end + 1);
            return true;
        }
    }
    return false;
}

bool xml_is(const struct xml_tag *t, const char *name)
{
    return t->n_name == strlen(name) && strncmp(t->name, name, t->n_name) == 0;
}

/* Reads one attribute after the other, so that a value is not mistaken for a name. */
bool xml_attribute(const struct xml_tag *t, const char *name, char *buf, size_t size)
{
    const char *at = t->attributes;

    buf[0] = '\0';
    while (at < t->end) {
        at += strspn(at, blanks);
        const char *key = at, *equal = at + strcspn(at, "=<>");
        if (equal >= t->end || *equal != '=')
            return false;
        const char *quote = equal + 1 + strspn(equal + 1, blanks);
        const char *end = *quote == '"' || *quote == '\'' ? strchr(quote + 1, *quote) : NULL;
        if (!end || end >= t->end)
            return false;
        size_t n = strcspn(key, "= \t\r\n");
        if (n == strlen(name) && strncmp(key, name, n) == 0) {
            snprintf(buf, size, "%.*s", (int)(end - quote - 1), quote + 1);
            return true;
        }
        at = end + 1;
    }
    return false;
}
