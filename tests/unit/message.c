/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon and its front say to each other: nothing is lost on the way, and what is no
 * message is none. */
#include "unit.h"

#include <limits.h>

#include "channel/request.h"

static char bytes[MESSAGE_SIZE_MAX];
static const char *const words[] = {"", "a", "0000:06:00.0", "in-use: two words"};

/* A message with something in every place. */
static struct message sample(enum message_kind kind)
{
    struct message m = {.kind = kind, .id = UINT64_MAX - kind};

    for (unsigned i = 0; i < MESSAGE_NUMBERS_MAX; i++)
        m.numbers[i] = (uint64_t)1 << (7 * i);
    for (unsigned i = 0; i < MESSAGE_TEXTS_MAX; i++)
        m.texts[i] = words[i % ELEMENTS(words)];
    return m;
}

static bool is_from_front(enum message_kind kind)
{
    return kind == MESSAGE_REQUEST || kind == MESSAGE_LOG_LEVEL;
}

START_TEST(nothing_is_lost)
{
    static char again[MESSAGE_SIZE_MAX];

    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        const struct message m = sample((enum message_kind)kind);
        struct message read;
        const size_t size = message_write(&m, bytes);
        ck_assert_int_eq(message_read(bytes, size, is_from_front(m.kind), &read), 0);
        ck_assert(read.kind == m.kind && read.id == m.id);
        ck_assert_uint_eq(message_write(&read, again), size);
        ck_assert_mem_eq(again, bytes, size);
        ck_assert_int_eq(message_read(bytes, size, !is_from_front(m.kind), &read), -EBADMSG);
    }
}
END_TEST

/* Every length but the right one. */
START_TEST(too_short_and_too_long)
{
    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        const struct message m = sample((enum message_kind)kind);
        struct message read;
        const size_t size = message_write(&m, bytes);
        bytes[size] = '\0';
        for (size_t n = 0; n <= size + 1; n++)
            ck_assert_msg(message_read(bytes, n, is_from_front(m.kind), &read) ==
                              (n == size ? 0 : -EBADMSG),
                          "kind %u, %zu bytes of %zu", kind, n, size);
    }
}
END_TEST

START_TEST(heads_that_are_none)
{
    const struct message m = sample(MESSAGE_WHOLE);
    struct message read;
    const size_t size = message_write(&m, bytes);

    bytes[0] = MESSAGE_KINDS;
    ck_assert_int_eq(message_read(bytes, size, false, &read), -EBADMSG);
    bytes[3] = (char)0x80;
    ck_assert_int_eq(message_read(bytes, size, true, &read), -EBADMSG);
    (void)message_write(&m, bytes);
    bytes[4] = 1;
    ck_assert_int_eq(message_read(bytes, size, false, &read), -EBADMSG);
}
END_TEST

START_TEST(long_texts_are_cut)
{
    CLEANUP_FREE char *text = calloc(1, 2 * MESSAGE_SIZE_MAX);
    struct message m = sample(MESSAGE_DEVICE), read;

    memset(text, 'x', 2 * MESSAGE_SIZE_MAX - 1);
    m.texts[DEVICE_MEMBERS] = text;
    const size_t size = message_write(&m, bytes);
    ck_assert_uint_eq(size, MESSAGE_SIZE_MAX);
    ck_assert_int_eq(message_read(bytes, size, false, &read), 0);
    ck_assert_uint_gt(strlen(read.texts[DEVICE_MEMBERS]), MESSAGE_SIZE_MAX - 1000);
    ck_assert_str_eq(read.texts[DEVICE_SENTENCE], "");
    ck_assert_str_eq(read.texts[DEVICE_CLASS], words[DEVICE_CLASS % ELEMENTS(words)]);
    m = sample(MESSAGE_DEVICE); /* the longest that there may be costs no other text */
    m.texts[DEVICE_VIRTUAL_FUNCTIONS] = text;
    ck_assert_uint_eq(message_write(&m, bytes), MESSAGE_SIZE_MAX);
    ck_assert_int_eq(message_read(bytes, MESSAGE_SIZE_MAX, false, &read), 0);
    for (unsigned i = 0; i < DEVICE_TEXTS; i++)
        ck_assert(i == DEVICE_VIRTUAL_FUNCTIONS || streq(read.texts[i], m.texts[i]));
}
END_TEST

START_TEST(requests_are_passed_on)
{
    struct request r = {.verb = VERB_RELEASE,
                        .device = {0x10000, 0xff, 31, 7},
                        .caller = {.uid = UINT32_MAX, .pid = INT_MAX, .unit = "ssh.service"}};
    struct request read;
    struct message m = request_message(&r, 7);

    ck_assert_int_eq(request_read(&m, &read), 0);
    ck_assert(read.verb == r.verb && pci_addr_cmp(read.device, r.device) == 0 && !read.denied);
    ck_assert(read.caller.uid == UINT32_MAX && read.caller.pid == INT_MAX && read.caller.told);
    ck_assert_str_eq(read.caller.unit, "ssh.service");
    r = (struct request){.verb = VERB_RESCAN, .denied = 1000};
    m = request_message(&r, 8);
    ck_assert_int_eq(request_read(&m, &read), 0);
    ck_assert(read.verb == VERB_RESCAN && read.denied == 1000);
}
END_TEST

START_TEST(requests_that_are_none)
{
    static const struct {
        unsigned number;
        uint64_t value;
    } wrong[] = {{REQUEST_VERB, VERBS},
                 {REQUEST_VERB, UINT64_MAX},
                 {REQUEST_DEVICE, (uint64_t)1 << 48},
                 {REQUEST_UID, (uint64_t)1 << 32},
                 {REQUEST_PID, (uint64_t)INT_MAX + 1},
                 {REQUEST_DENIED, (uint64_t)1 << 32}};
    const struct request r = {.verb = VERB_BIND, .device = {0, 6, 0, 0}};
    CLEANUP_FREE char *unit = calloc(1, PROCESS_UNIT_MAX + 1);
    struct request read;

    for (size_t i = 0; i < ELEMENTS(wrong); i++) {
        struct message m = request_message(&r, 1);
        ck_assert_int_eq(request_read(&m, &read), 0);
        m.numbers[wrong[i].number] = wrong[i].value;
        ck_assert_msg(request_read(&m, &read) == -EBADMSG, "%zu", i);
    }
    struct message m = request_message(&r, 1);
    m.numbers[REQUEST_VERB] = VERB_RELOAD; /* which is about no device */
    ck_assert_int_eq(request_read(&m, &read), -EBADMSG);
    m = request_message(&r, 1);
    memset(unit, 'x', PROCESS_UNIT_MAX);
    m.texts[REQUEST_UNIT] = unit;
    ck_assert_int_eq(request_read(&m, &read), -EBADMSG);
    m.texts[REQUEST_UNIT] = "ssh.service\nMESSAGE=all is well";
    ck_assert_int_eq(request_read(&m, &read), -EBADMSG);
}
END_TEST

UNIT_MAIN("message", nothing_is_lost, too_short_and_too_long, heads_that_are_none,
          long_texts_are_cut, requests_are_passed_on, requests_that_are_none)
