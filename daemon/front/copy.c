/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/copy.h"

#include <errno.h>

#include "base/hash.h"
#include "base/search.h"
#include "base/util.h"

static int compare_entry(const void *key, const void *element)
{
    const struct message *k = key, *m = &((const struct entry *)element)->m;

    return k->kind != m->kind ? (k->kind > m->kind) - (k->kind < m->kind)
                              : (k->id > m->id) - (k->id < m->id);
}

/* The index of the entry, or the one where it would be inserted. */
static size_t place_of(const struct copy *c, enum message_kind kind, uint64_t id)
{
    const struct message key = {.kind = kind, .id = id};

    return lower_bound(&key, c->v, c->n, sizeof(*c->v), compare_entry);
}

static bool is_at(const struct copy *c, size_t i, enum message_kind kind, uint64_t id)
{
    return i < c->n && c->v[i].m.kind == kind && c->v[i].m.id == id;
}

static int put_entry(struct copy *c, const struct entry *e)
{
    const size_t i = place_of(c, e->m.kind, e->m.id);
    const bool known = is_at(c, i, e->m.kind, e->m.id);

    if (!known && !grow(&c->v, &c->allocated, c->n, sizeof(*c->v)))
        return -ENOMEM;
    if (known)
        free(c->v[i].bytes);
    else
        memmove(&c->v[i + 1], &c->v[i], (c->n++ - i) * sizeof(*c->v));
    c->v[i] = *e;
    return 0;
}

static void drop_entry(struct copy *c, enum message_kind kind, uint64_t id)
{
    const size_t i = place_of(c, kind, id);

    if (!is_at(c, i, kind, id))
        return;
    free(c->v[i].bytes);
    memmove(&c->v[i], &c->v[i + 1], (--c->n - i) * sizeof(*c->v));
}

static bool is_for_copy(const struct message *m)
{
    struct pci_addr a;

    if (m->kind == MESSAGE_GONE)
        return m->numbers[GONE_KIND] < MESSAGE_ENTRIES;
    if (m->kind == MESSAGE_MANAGER)
        return m->id == 0;
    if (m->kind == MESSAGE_VFS || m->kind == MESSAGE_DEVICE)
        return pci_addr_from_number(m->id, &a);
    return m->kind < MESSAGE_ENTRIES;
}

int copy_take(struct copy *c, const char *bytes, size_t size)
{
    struct message m;
    int r = message_read(bytes, size, false, &m);

    if (r < 0)
        return r;
    if (!is_for_copy(&m))
        return -EBADMSG;
    struct entry e = {.bytes = malloc(size), .hash = hash_bytes(bytes, size)};
    if (!e.bytes || !grow(&c->news, &c->news_allocated, c->n_news, sizeof(*c->news))) {
        free(e.bytes);
        return -ENOMEM;
    }
    memcpy(e.bytes, bytes, size);
    (void)message_read(e.bytes, size, false, &e.m);
    c->news[c->n_news++] = e;
    return 0;
}

int copy_whole(struct copy *c)
{
    int r = 0;

    for (size_t i = 0; i < c->n_news; i++) {
        struct entry *e = &c->news[i];
        const bool gone = e->m.kind == MESSAGE_GONE;
        if (gone)
            drop_entry(c, (enum message_kind)e->m.numbers[GONE_KIND], e->m.id);
        else if (r == 0)
            r = put_entry(c, e);
        if (gone || r < 0)
            free(e->bytes);
    }
    free(c->news);
    c->news = NULL;
    c->n_news = c->news_allocated = 0;
    return r;
}

static void free_entries(struct entry *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(v[i].bytes);
    free(v);
}

void copy_done(struct copy *c)
{
    free_entries(c->v, c->n);
    free_entries(c->news, c->n_news);
    *c = (struct copy){.root_fd = c->root_fd};
}

const struct message *copy_find(const struct copy *c, enum message_kind kind, uint64_t id)
{
    const size_t i = place_of(c, kind, id);

    return is_at(c, i, kind, id) ? &c->v[i].m : NULL;
}

const struct message *copy_manager(const struct copy *c)
{
    static const struct message empty = {.texts = {"", "", "", ""}};
    const struct message *m = copy_find(c, MESSAGE_MANAGER, 0);

    return m ? m : &empty;
}

size_t copy_of_kind(const struct copy *c, enum message_kind kind, const struct entry **ret_first)
{
    const size_t i = place_of(c, kind, 0);

    *ret_first = c->v ? &c->v[i] : NULL;
    return place_of(c, (enum message_kind)(kind + 1), 0) - i;
}

void copy_set_log_level(struct copy *c, int level)
{
    const size_t i = place_of(c, MESSAGE_MANAGER, 0);

    if (is_at(c, i, MESSAGE_MANAGER, 0))
        c->v[i].m.numbers[MANAGER_LOG_LEVEL] = (uint64_t)level;
}
