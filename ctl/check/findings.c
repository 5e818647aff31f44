/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/findings.h"

#include <errno.h>
#include <stdarg.h>

/* Texts quote file names and contents: control characters in them must not reach the terminal. */
static void defuse(char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void check_add(struct check *c, enum finding_level level, const char *name, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0 || !grow(&c->v, &c->allocated, c->n, sizeof(*c->v))) {
        if (n >= 0)
            free(text);
        c->tree.failed = true;
        return;
    }
    defuse(text);
    c->v[c->n++] = (struct finding){.level = level, .name = name, .text = text};
}

/* Appends to a list "a, b"; takes ownership of `more`, which may be NULL when out of memory. */
static void append(struct check *c, char **list, const char *separator, char *more)
{
    char *longer = NULL;

    if (!more || asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? separator : "", more) < 0)
        c->tree.failed = true;
    else {
        free(*list);
        *list = longer;
    }
    free(more);
}

void check_append(struct check *c, char **text, const char *separator, const char *format, ...)
{
    va_list args;
    char *more;

    va_start(args, format);
    if (vasprintf(&more, format, args) < 0)
        more = NULL;
    va_end(args);
    append(c, text, separator, more);
}

static void add_concerned(struct check *c, struct finding *f, struct pci_addr a)
{
    append(c, &f->devices, "\n", strdup(pci_addr_text(a).s));
    f->n_devices++;
}

bool check_joins(struct check *c, const char *name, const char *cause, struct pci_addr a)
{
    for (size_t i = 0; i < c->n; i++) {
        struct finding *f = &c->v[i];
        if (!streq(f->name, name) || !f->cause || !streq(f->cause, cause))
            continue;
        add_concerned(c, f, a);
        return true;
    }
    return false;
}

void check_concerns(struct check *c, const char *cause, struct pci_addr a)
{
    struct finding *f = c->n > 0 ? &c->v[c->n - 1] : NULL;

    if (!f)
        return;
    f->cause = strdup(cause);
    c->tree.failed = c->tree.failed || !f->cause;
    add_concerned(c, f, a);
}

void check_remedy(struct check *c, const char *format, ...)
{
    va_list args;
    char *line;

    va_start(args, format);
    if (vasprintf(&line, format, args) < 0)
        line = NULL;
    va_end(args);
    defuse(line);
    if (c->n > 0)
        append(c, &c->v[c->n - 1].remedy, "\n", line);
    else
        free(line);
}

void findings_done(struct check *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->v[i].text);
        free(c->v[i].remedy);
        free(c->v[i].cause);
        free(c->v[i].devices);
    }
    free(c->v);
    tree_done(&c->tree);
    cmdline_done(&c->cmdline);
}
