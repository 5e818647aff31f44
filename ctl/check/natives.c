/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/natives.h"

#include "check/devices.h"
#include "check/files.h"
#include "check/modules.h"
#include "host/modules.h"
#include "host/pci-files.h"

#define MODALIAS_MAX 128

static bool same_module(const char *a, const char *b, size_t n)
{
    if (strlen(a) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && !(a[i] == '_' && b[i] == '-'))
            return false;
    return true;
}

struct native *natives_get(const struct natives *n, const char *module, size_t length)
{
    for (size_t i = 0; i < n->n; i++)
        if (same_module(n->v[i].module, module, length))
            return &n->v[i];
    return NULL;
}

void natives_done(struct natives *n)
{
    for (size_t i = 0; i < n->n; i++)
        free(n->v[i].module);
    free(n->v);
}

static bool is_needed(const struct check *c, const char *module)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (!check_is_taken(r) && *r->driver && same_module(module, r->driver, strlen(r->driver)))
            return true;
    }
    return false;
}

static void add_native(struct check *c, struct natives *list, const char *module,
                       const struct row *row)
{
    if (natives_get(list, module, strlen(module)))
        return;
    char *copy = strdup(module);
    if (!copy || !grow(&list->v, &list->allocated, list->n, sizeof(*list->v))) {
        free(copy);
        c->tree.failed = true;
        return;
    }
    for (char *at = copy; (at = strchr(at, '-'));)
        *at = '_';
    list->v[list->n++] = (struct native){.module = copy,
                                         .row = row,
                                         .builtin = check_lists_module(c, "modules.builtin", copy),
                                         .needed = is_needed(c, copy)};
}

/* -- the devices -- */

struct wanted {
    char modalias[MODALIAS_MAX];
    const struct row *row;
};

struct all_wanted {
    struct wanted *v;
    size_t n, allocated;
};

/* Each modalias is looked up once: a thousand virtual functions have the same. */
static void collect_natives(struct check *c, struct all_wanted *ret)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        struct wanted w = {.row = &c->s->rows[i]};
        bool known = false;
        if (!check_is_taken(w.row))
            continue;
        pci_attribute(c->tree.root_fd, w.row->d->addr, "modalias", w.modalias, sizeof(w.modalias));
        for (size_t j = 0; j < ret->n && !known; j++)
            known = streq(ret->v[j].modalias, w.modalias);
        if (known || !*w.modalias)
            continue;
        if (!grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v))) {
            c->tree.failed = true;
            return;
        }
        ret->v[ret->n++] = w;
    }
}

void natives_find(struct check *c, struct natives *ret)
{
    struct all_wanted wanted = {0};
    char folder[128];

    if (*c->release)
        collect_natives(c, &wanted);
    snprintf(folder, sizeof(folder), "%slib/modules/%s",
             check_exists(c, "usr/lib/modules") ? "usr/" : "", c->release);
    for (size_t i = 0; i < wanted.n; i++) {
        struct module_names names = {0};
        int r = modules_native(c->tree.root_fd, folder, wanted.v[i].modalias, &names);
        if (r < 0)
            check_unseen(c, "the aliases of the kernel's modules", r);
        for (size_t j = 0; j < names.n; j++)
            add_native(c, ret, names.v[j], wanted.v[i].row);
    }
    free(wanted.v);
}
