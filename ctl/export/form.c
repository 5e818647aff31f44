/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/form.h"

#include <errno.h>
#include <stdarg.h>

void export_cannot(struct export *e, const char *format, ...)
{
    va_list args;

    e->inexpressible++;
    fputs(e->ctl->strict ? "error: " : "warning: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void export_begin_add(struct doc *d, const char *path)
{
    doc_map(d);
    doc_pair(d, "op", "add");
    doc_pair(d, "path", path);
    doc_text(d, "value");
}

int export_write_docs(struct export *e, struct doc *docs, size_t n)
{
    int r = doc_write(docs, n, e->text);

    if (r == -EINVAL)
        return ctl_error("the YAML cannot be formed: is some text of the policy no UTF-8?");
    return r < 0 ? ctl_errno(r) : 0;
}

struct export_id export_id(uint16_t vendor, uint16_t device)
{
    struct export_id id;

    snprintf(id.s, sizeof(id.s), "%04x:%04x", vendor, device);
    return id;
}

bool export_is_external(const struct export_item *item)
{
    return !streq(item->driver, "vfio-pci");
}

bool export_lists(const struct row *r)
{
    return r->v && !r->v->comes_along && driver_is_vfio(r->v->driver);
}

bool export_selects_any(const struct export *e, const struct rule *r)
{
    for (size_t i = 0; i < e->source->snapshot.n; i++)
        if (export_lists(&e->source->rows[i]) && e->source->rows[i].v->rule == r)
            return true;
    return false;
}
