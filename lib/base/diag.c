/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/diag.h"

#include <stdarg.h>

void diags_done(struct diags *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->v[i].file);
        free(d->v[i].text);
    }
    free(d->v);
    *d = (struct diags){0};
}

void diags_add(struct diags *d, enum diag_level level, const char *file, unsigned line,
               const char *format, ...)
{
    va_list args;

    if (level == DIAG_ERROR)
        d->errors++;
    else
        d->warnings++;
    if (d->n >= DIAGS_MAX || !grow(&d->v, &d->allocated, d->n, sizeof(*d->v)))
        return;

    struct diag *new = &d->v[d->n];
    *new = (struct diag){.level = level, .line = line, .file = file ? strdup(file) : NULL};
    va_start(args, format);
    if (vasprintf(&new->text, format, args) < 0)
        new->text = NULL;
    va_end(args);
    if (!new->text || (file && !new->file)) { /* not kept, but counted above */
        free(new->file);
        free(new->text);
        return;
    }
    d->n++;
}

char *diag_text(const struct diag *d)
{
    char *s;
    int r;

    if (!d->file)
        r = asprintf(&s, "%s", d->text);
    else if (d->line == 0)
        r = asprintf(&s, "%s: %s", d->file, d->text);
    else
        r = asprintf(&s, "%s:%u: %s", d->file, d->line, d->text);
    return r < 0 ? NULL : s;
}

void diags_print(const struct diags *d, FILE *f)
{
    for (size_t i = 0; i < d->n; i++) {
        CLEANUP_FREE char *text = diag_text(&d->v[i]);
        fprintf(f, "%s: %s\n", d->v[i].level == DIAG_ERROR ? "error" : "warning",
                text ? text : "out of memory");
    }
    if (d->errors + d->warnings > d->n)
        fprintf(f, "and %zu more\n", d->errors + d->warnings - d->n);
}
