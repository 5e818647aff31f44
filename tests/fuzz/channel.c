/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon and its front send each other. The first byte says to whom ("d" to the daemon,
 * else to the front); each piece behind it is a message, any bytes. None does harm, what is read is
 * written the same again, and the front's copy stays in order. */
#include "channel/request.h"
#include "front/copy.h"
#include "fuzz.h"

static void read_one(const char *bytes, size_t size, bool from_front)
{
    static char again[MESSAGE_SIZE_MAX];
    struct message m, other;
    struct request r, same;

    if (message_read(bytes, size, from_front, &m) < 0)
        return;
    REQUIRE(message_read(bytes, size, !from_front, &other) < 0, "kind %u both ways", m.kind);
    REQUIRE(message_write(&m, again) == size && memcmp(again, bytes, size) == 0, "kind %u", m.kind);
    if (!from_front || request_read(&m, &r) < 0)
        return;
    const struct message back = request_message(&r, m.id);
    REQUIRE(message_write(&back, again) == size && memcmp(again, bytes, size) == 0,
            "a request is another one");
    REQUIRE(request_read(&back, &same) == 0, "and none");
}

static void take_one(struct copy *c, const char *bytes, size_t size)
{
    struct message m;

    if (message_read(bytes, size, false, &m) == 0 && m.kind == MESSAGE_WHOLE)
        (void)copy_whole(c);
    else
        (void)copy_take(c, bytes, size);
}

static void check_order(const struct copy *c)
{
    const struct entry *first;
    size_t n = 0;

    for (size_t i = 1; i < c->n; i++) {
        const struct message *a = &c->v[i - 1].m, *b = &c->v[i].m;
        REQUIRE(a->kind < b->kind || (a->kind == b->kind && a->id < b->id), "entry %zu", i);
    }
    for (unsigned kind = 0; kind < MESSAGE_ENTRIES; kind++)
        n += copy_of_kind(c, (enum message_kind)kind, &first);
    REQUIRE(n == c->n, "%zu of %zu entries", n, c->n);
    for (size_t i = 0; i < c->n; i++)
        REQUIRE(copy_find(c, c->v[i].m.kind, c->v[i].m.id) == &c->v[i].m, "entry %zu", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(copy_done) struct copy copy = {0};
    struct pieces pieces = {(const char *)data + 1, size - 1};
    char *bytes;

    if (size == 0)
        return 0;
    while ((bytes = next_piece(&pieces, &size))) {
        read_one(bytes, size, data[0] == 'd');
        if (data[0] != 'd')
            take_one(&copy, bytes, size);
        free(bytes);
    }
    (void)copy_whole(&copy);
    check_order(&copy);
    return 0;
}
