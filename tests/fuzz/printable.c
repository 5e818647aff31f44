/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that leaves the process. Whatever the bytes are: it is valid UTF-8 (iconv says so), has no
 * control character, is its own printable form, and every cut of it is a beginning of the whole. */
#include "fuzz.h"

#include <iconv.h>

#include "base/printable.h"

static void check_text(char *text, size_t n)
{
    iconv_t utf8 = iconv_open("UCS-4LE", "UTF-8");
    char *to = malloc(4 * n + 4), *from = text, *end = to;
    size_t left = n, room = 4 * n + 4;

    REQUIRE(utf8 != (iconv_t)-1 && to, "no iconv");
    REQUIRE(iconv(utf8, &from, &left, &end, &room) == 0 && left == 0, "no UTF-8: %s", text);
    for (char *at = to; at < end; at += 4) {
        uint32_t c;
        memcpy(&c, at, 4);
        REQUIRE(c >= 0x20 && (c < 0x7f || c > 0x9f), "U+%04x", c);
    }
    free(to);
    iconv_close(utf8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    size_t room = 4 * size + 1;
    CLEANUP_FREE char *whole = malloc(room), *again = malloc(room);

    REQUIRE(whole && again, "out of memory");
    size_t n = printable(whole, room, bytes, size);
    REQUIRE(n == strlen(whole), "%zu, %zu", n, strlen(whole));
    check_text(whole, n);
    REQUIRE(printable(again, room, whole, n) == n && streq(whole, again), "%s, %s", whole, again);
    for (size_t cut = 1; cut <= n && cut < 64; cut++) {
        char part[64];
        size_t got = printable(part, cut, bytes, size);
        REQUIRE(got < cut && got == strlen(part) && strncmp(part, whole, got) == 0, "%s", part);
        check_text(part, got);
    }
    CLEANUP_FREE char *string = strndup(bytes, size);
    struct quoted q = quoted(string);
    check_text(q.s, strlen(q.s));
    return 0;
}
