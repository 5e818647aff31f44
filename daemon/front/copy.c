/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/copy.h"

#include <errno.h>

#include "base/hash.h"
#include "base/util.h"

/* Where the entry is, or would be. */
static size_t place_of(const struct copy *c, enum message_kind kind, uint64_t id)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct message *m = &c->v[middle].m;
        if (m->kind < kind || (m->kind == kind && m->id < id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct copy *c, size_t i, enum message_kind kind, uint64_t id)
{
    return i < c->n && c->v[i].m.kind == kind && c->v[i].m.id == id;
}

static int put_entry(struct copy *c, const char *bytes, size_t size, const struct message *m)
{
    const size_t i = place_of(c, m->kind, m->id);
    const bool known = is_at(c, i, m->kind, m->id);
    struct entry e = {.bytes = malloc(size), .hash = hash_bytes(bytes, size)};

    if (!e.bytes || (!known && !grow(&c->v, &c->allocated, c->n, sizeof(*c->v)))) {
        free(e.bytes);
        return -ENOMEM;
    }
    memcpy(e.bytes, bytes, size);
    (void)message_read(e.bytes, size, false, &e.m);
    if (known)
        free(c->v[i].bytes);
    else
        memmove(&c->v[i + 1], &c->v[i], (c->n++ - i) * sizeof(*c->v));
    c->v[i] = e;
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

int copy_take(struct copy *c, const char *bytes, size_t size)
{
    struct message m;
    struct pci_addr a;
    int r = message_read(bytes, size, false, &m);

    if (r < 0)
        return r;
    if (m.kind == MESSAGE_GONE && m.numbers[GONE_KIND] < MESSAGE_ENTRIES) {
        drop_entry(c, (enum message_kind)m.numbers[GONE_KIND], m.id);
        return 0;
    }
    if (m.kind >= MESSAGE_ENTRIES || (m.kind == MESSAGE_MANAGER && m.id != 0) ||
        ((m.kind == MESSAGE_VFS || m.kind == MESSAGE_DEVICE) && !message_address(m.id, &a)))
        return -EBADMSG;
    return put_entry(c, bytes, size, &m);
}

void copy_done(struct copy *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->v[i].bytes);
    free(c->v);
    c->v = NULL;
    c->n = c->allocated = 0;
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
