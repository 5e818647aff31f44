/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio-bindd and vfio-bindd-helper send each other: a request and an answer, any bytes. What
 * passes the checks has texts that end, and no more in it than there can be. */
#include "channel/helper-message.h"

#include "fuzz.h"

/* Behind it is nothing that a sanitizer would not see. */
static void *copy_of(const char *bytes, size_t size, size_t room)
{
    char *copy = calloc(1, room);

    REQUIRE(copy, "out of memory");
    memcpy(copy, bytes, size < room ? size : room);
    return copy;
}

static void check_request(const struct helper_request *q, size_t size)
{
    unsigned fit = 0;

    for (unsigned kind = 0; kind < HELPER_KINDS; kind++) {
        if (helper_request_check((enum helper_kind)kind, q, size) < 0)
            continue;
        fit++;
        REQUIRE(q->kind == kind, "kind %u", kind);
        REQUIRE(q->n_devices <= HELPER_DEVICES_MAX, "%u devices", q->n_devices);
        REQUIRE(memchr(q->module, '\0', sizeof(q->module)), "a name without end");
        REQUIRE(kind != HELPER_MODULE || module_name_is_valid(q->module), "no module");
    }
    REQUIRE(fit <= 1, "%u kinds at once", fit);
}

static void check_reply(const struct helper_request *q, const struct helper_reply *a, size_t size)
{
    if (helper_reply_check(q, a, size) < 0)
        return;
    REQUIRE(a->n_serials <= q->n_devices, "%u serial numbers", a->n_serials);
    REQUIRE(memchr(a->text, '\0', sizeof(a->text)), "a text without end");
    REQUIRE(a->result <= 0, "result %d", a->result);
    REQUIRE(!*a->text || a->result < 0 || q->kind == HELPER_HOLDERS, "a text for nothing");
    for (uint32_t i = 0; i < a->n_serials; i++)
        REQUIRE(!*a->serials[i].text || serial_is_valid(a->serials[i].text), "serial number %u", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pieces pieces = {(const char *)data, size};
    size_t q_size = 0, a_size = 0;
    CLEANUP_FREE char *q_bytes = next_piece(&pieces, &q_size);
    CLEANUP_FREE char *a_bytes = next_piece(&pieces, &a_size);

    if (!q_bytes)
        return 0;
    CLEANUP_FREE struct helper_request *q = copy_of(q_bytes, q_size, sizeof(*q));
    check_request(q, q_size);
    if (!a_bytes || q->kind >= HELPER_KINDS ||
        helper_request_check((enum helper_kind)q->kind, q, q_size) < 0)
        return 0;
    CLEANUP_FREE struct helper_reply *a = copy_of(a_bytes, a_size, sizeof(*a));
    check_reply(q, a, a_size);
    return 0;
}
