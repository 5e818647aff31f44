/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes become text that can be shown. */
#include "unit.h"

#include <stdint.h>

#include "base/printable-stream.h"
#include "base/printable.h"

START_TEST(any_bytes)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},
        {"0000:06:00.0 is bound", "0000:06:00.0 is bound"},
        {"Grafikkarte für Gäste, 显卡, 🖥", "Grafikkarte für Gäste, 显卡, 🖥"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x1b[31mred\x7f", "\\x1b[31mred\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"},                                       /* CSI as a C1 control */
        {"caf\xc3", "caf\\xc3"},                                 /* cut */
        {"\xe2\x82\"", "\\xe2\\x82\""},                          /* cut, and something behind it */
        {"\xff\xfe\x80", "\\xff\\xfe\\x80"},                     /* no UTF-8 */
        {"\xc0\xaf \xe0\x80\xaf", "\\xc0\\xaf \\xe0\\x80\\xaf"}, /* longer than need be */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                     /* a surrogate */
        {"\xef\xbf\xbe \xef\xb7\x90", "\\xef\\xbf\\xbe \\xef\\xb7\\x90"}, /* no characters */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},                     /* beyond Unicode */
        {"\xe2\x80\xaegpj", "\\xe2\\x80\\xaegpj"},                        /* right to left */
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},                              /* a line separator */
        {"\\x41", "\\x41"},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP_FREE char *text = printable_copy(cases[i].bytes);
        CLEANUP_FREE char *again = printable_copy(text);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_str_eq(again, text);
    }
}
END_TEST

/* However short the room: no half characters, no half escapes. */
START_TEST(a_cut_is_between_characters)
{
    static const char bytes[] = "aä€🖥\x1b";
    static const char *const texts[] = {
        "",           "",           "a",          "a",
        "aä",         "aä",         "aä",         "aä€",
        "aä€",        "aä€",        "aä€",        "aä€🖥",
        "aä€🖥", "aä€🖥", "aä€🖥", "aä€🖥\\x1b"};
    for (size_t size = 1; size < ELEMENTS(texts); size++) {
        char to[32];
        memset(to, 'x', sizeof(to));
        size_t n = printable(to, size, bytes, strlen(bytes));
        ck_assert_uint_eq(n, strlen(to));
        ck_assert_str_eq(to, texts[size]);
        ck_assert(to[size] == 'x');
    }
}
END_TEST

START_TEST(quotes)
{
    ck_assert_str_eq(quoted("nvidia").s, "nvidia");
    ck_assert_str_eq(quoted("1234567890123456789012345678901234567890").s,
                     "1234567890123456789012345678901234567890");
    ck_assert_str_eq(quoted("12345678901234567890123456789012345678901").s,
                     "1234567890123456789012345678901234567890...");
    ck_assert_str_eq(quoted("123456789012345678901234567890123456789ä").s,
                     "123456789012345678901234567890123456789...");
    ck_assert_str_eq(quoted("\xc3").s, "\\xc3");
}
END_TEST

static char *everything_of(FILE *f)
{
    char *text = calloc(1, 1 << 17);

    rewind(f);
    ck_assert(text && fread(text, 1, (1 << 17) - 1, f) > 0);
    return text;
}

/* Characters that come byte by byte, and in any place of stdio's buffer, stay whole. */
START_TEST(the_stream_joins_pieces)
{
    static const char bytes[] = "ä\x1b\n€\t\xc3|🖥\xe2\x82";
    static const char text[] = "ä\\x1b\n€\t\\xc3|🖥\\xe2\\x82";
    CLEANUP(fclosep) FILE *file = tmpfile();
    CLEANUP_FREE char *written = NULL;
    const char *at;
    int old = dup(STDOUT_FILENO);

    ck_assert(file && old >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    printable_stdout();
    for (size_t i = 0; i < strlen(bytes); i++) {
        putchar(bytes[i]);
        fflush(stdout);
    }
    for (unsigned i = 0; i < 2000; i++)
        fputs(bytes, stdout);
    puts("");
    ck_assert_int_eq(printable_bypass(stdout, "\033[0m"), 0);
    fflush(stdout);
    dup2(old, STDOUT_FILENO);
    close(old);
    at = written = everything_of(file);
    for (unsigned i = 0; i < 2001; i++, at += strlen(text))
        ck_assert_msg(strncmp(at, text, strlen(text)) == 0, "%u: %s", i, at);
    ck_assert_str_eq(at, "\n\033[0m");
}
END_TEST

UNIT_MAIN("printable", any_bytes, a_cut_is_between_characters, quotes, the_stream_joins_pieces)
