/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check-natives.h"

#include <fnmatch.h>

#include "rootfs.h"
#include "scan.h"

#define MODALIAS_MAX 128
#define BUILTIN_MAX (8U << 20)

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

static void add(struct check *c, struct natives *list, const char *module, size_t length,
                const struct row *row, bool builtin)
{
    if (natives_get(list, module, length))
        return;
    char *copy = strndup(module, length);
    if (!copy || !grow(&list->v, &list->allocated, list->n, sizeof(*list->v))) {
        free(copy);
        c->failed = true;
        return;
    }
    for (char *at = copy; (at = strchr(at, '-'));)
        *at = '_';
    list->v[list->n++] = (struct native){
        .module = copy, .row = row, .builtin = builtin, .needed = is_needed(c, copy)};
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

/* Each modalias once: a thousand virtual functions have the same. */
static void collect(struct check *c, struct all_wanted *ret)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        struct wanted w = {.row = &c->s->rows[i]};
        bool known = false;
        if (!check_is_taken(w.row))
            continue;
        scan_attribute(c->root_fd, w.row->d->addr, "modalias", w.modalias, sizeof(w.modalias));
        for (size_t j = 0; j < ret->n && !known; j++)
            known = streq(ret->v[j].modalias, w.modalias);
        if (known || !*w.modalias)
            continue;
        if (!grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v))) {
            c->failed = true;
            return;
        }
        ret->v[ret->n++] = w;
    }
}

static const struct row *first_that_fits(const struct all_wanted *wanted, const char *pattern)
{
    for (size_t i = 0; i < wanted->n; i++)
        if (fnmatch(pattern, wanted->v[i].modalias, 0) == 0)
            return wanted->v[i].row;
    return NULL;
}

/* -- the kernel's tables -- */

/* "alias pci:v000010DEd*sv*sd*bc03sc02i00* nvidia" */
static void read_modules(struct check *c, char *text, const struct all_wanted *wanted,
                         struct natives *ret)
{
    char *rest = text, *line;

    while ((line = check_line(&rest))) {
        char *pattern = (char *)after_prefix(line, "alias pci:");
        char *module = pattern ? strrchr(pattern, ' ') : NULL;
        if (!module)
            continue;
        *module++ = '\0';
        const struct row *row = first_that_fits(wanted, pattern - strlen("pci:"));
        if (row)
            add(c, ret, module, strlen(module), row, false);
    }
}

/* "nvme.alias=pci:v*d*sv*sd*bc01sc08i02*", each with a NUL behind it */
static void read_builtin(struct check *c, const char *text, size_t size,
                         const struct all_wanted *wanted, struct natives *ret)
{
    for (const char *at = text; at < text + size; at += strlen(at) + 1) {
        const char *alias = strstr(at, ".alias=pci:");
        const struct row *row = alias ? first_that_fits(wanted, alias + strlen(".alias=")) : NULL;
        if (row)
            add(c, ret, at, (size_t)(alias - at), row, true);
    }
}

void natives_find(struct check *c, struct natives *ret)
{
    struct all_wanted wanted = {0};
    char path[160], *builtin;
    size_t size;

    collect(c, &wanted);
    if (*c->release && wanted.n > 0) {
        snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", c->release);
        CLEANUP_FREE char *text = check_read(c, path);
        if (text)
            read_modules(c, text, &wanted, ret);
        snprintf(path, sizeof(path), "lib/modules/%s/modules.builtin.modinfo", c->release);
        if (rootfs_read_file(c->root_fd, path, BUILTIN_MAX, &builtin, &size) == 0) {
            read_builtin(c, builtin, size, &wanted, ret);
            free(builtin);
        }
    }
    free(wanted.v);
}
