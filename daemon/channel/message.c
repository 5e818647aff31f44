/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/message.h"

#include <errno.h>

#include "base/util.h"

struct head {
    uint32_t kind;
    uint32_t zero;
    uint64_t id;
};

static const struct shape {
    bool from_front;
    unsigned numbers, texts;
} shapes[MESSAGE_KINDS] = {
    [MESSAGE_MANAGER] = {false, MANAGER_NUMBERS, MANAGER_TEXTS},
    [MESSAGE_FILE] = {false, 0, 1},
    [MESSAGE_ERROR] = {false, 0, 1},
    [MESSAGE_ACTION] = {false, 0, ACTION_TEXTS},
    [MESSAGE_VFS] = {false, VFS_NUMBERS, VFS_TEXTS},
    [MESSAGE_DEVICE] = {false, DEVICE_NUMBERS, DEVICE_TEXTS},
    [MESSAGE_GONE] = {false, GONE_NUMBERS, 0},
    [MESSAGE_WHOLE] = {false, 0, 0},
    [MESSAGE_REPLY] = {false, REPLY_NUMBERS, REPLY_TEXTS},
    [MESSAGE_REQUEST] = {true, REQUEST_NUMBERS, REQUEST_TEXTS},
    [MESSAGE_LOG_LEVEL] = {true, 0, 0},
};

_Static_assert(MANAGER_NUMBERS <= MESSAGE_NUMBERS_MAX && DEVICE_TEXTS <= MESSAGE_TEXTS_MAX,
               "the longest messages");

size_t message_write(const struct message *m, char to[static MESSAGE_SIZE_MAX])
{
    const struct shape *shape = &shapes[m->kind];
    const struct head head = {.kind = m->kind, .id = m->id};
    size_t used = sizeof(head);

    memcpy(to, &head, sizeof(head));
    memcpy(to + used, m->numbers, shape->numbers * sizeof(*m->numbers));
    used += shape->numbers * sizeof(*m->numbers);
    for (unsigned i = 0; i < shape->texts; i++) {
        const char *text = m->texts[i] ? m->texts[i] : "";
        size_t room = MESSAGE_SIZE_MAX - used - (shape->texts - i); /* the others keep their NULs */
        size_t n = strnlen(text, room);
        memcpy(to + used, text, n);
        to[used + n] = '\0';
        used += n + 1;
    }
    return used;
}

/* Reads exactly n texts. Anything behind them is an error. */
static bool read_texts(const char *bytes, size_t size, unsigned n, const char *ret[])
{
    for (unsigned i = 0; i < n; i++) {
        const char *end = memchr(bytes, '\0', size);
        if (!end)
            return false;
        ret[i] = bytes;
        size -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
    return size == 0;
}

int message_read(const char *bytes, size_t size, bool from_front, struct message *ret)
{
    struct head head;
    struct message m = {0};

    if (size < sizeof(head) || size > MESSAGE_SIZE_MAX)
        return -EBADMSG;
    memcpy(&head, bytes, sizeof(head));
    if (head.kind >= MESSAGE_KINDS || head.zero != 0 || shapes[head.kind].from_front != from_front)
        return -EBADMSG;
    const struct shape *shape = &shapes[head.kind];
    const size_t numbers = shape->numbers * sizeof(*m.numbers);
    if (size - sizeof(head) < numbers)
        return -EBADMSG;
    m.kind = (enum message_kind)head.kind;
    m.id = head.id;
    memcpy(m.numbers, bytes + sizeof(head), numbers);
    if (!read_texts(bytes + sizeof(head) + numbers, size - sizeof(head) - numbers, shape->texts,
                    m.texts))
        return -EBADMSG;
    *ret = m;
    return 0;
}
