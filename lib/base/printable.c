/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/printable.h"

#include <stdint.h>

#define ESCAPE_LENGTH 4 /* \xNN */

/* The length of a character that begins with this byte; 0: no character does. *ret_first: the bits
 * of the code point in this byte. */
static size_t char_length(unsigned char c, uint32_t *ret_first)
{
    static const struct {
        unsigned char mask, mark;
    } kinds[] = {{0x80, 0}, {0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};

    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        if ((c & kinds[i].mask) == kinds[i].mark) {
            *ret_first = (uint32_t)(c & ~kinds[i].mask);
            return i + 1;
        }
    return 0;
}

static bool is_printable(uint32_t c, size_t length)
{
    static const uint32_t least[] = {
        0, 0x80, 0x800, 0x10000}; /* the smallest code point that needs this many bytes */
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0, 0x1f},          {0x7f, 0x9f},           /* control characters */
        {0x61c, 0x61c},     {0x200e, 0x200f},       /* text direction */
        {0x2028, 0x202e},   {0x2066, 0x2069},       /* line separators and text direction */
        {0xd800, 0xdfff},   {0xfdd0, 0xfdef},       /* surrogates and noncharacters */
        {0xfeff, 0xfeff},   {0xfff9, 0xfffb},       /* byte order mark, annotations */
        {0xe0000, 0xe007f}, {0x110000, UINT32_MAX}, /* tags */
    };

    if (c < least[length - 1] || (c & 0xfffe) == 0xfffe)
        return false;
    for (size_t i = 0; i < ELEMENTS(hidden); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return false;
    return true;
}

/* Decodes the character at the beginning of the bytes. Returns its length, or 0 if there is none.
 * The bytes may end within it: *ret_have is the number of its bytes that are there. */
static size_t decode(const char *bytes, size_t n, uint32_t *ret_char, size_t *ret_have)
{
    size_t length = n > 0 ? char_length((unsigned char)bytes[0], ret_char) : 0, i;

    for (i = 1; i < length && i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        *ret_char = *ret_char << 6 | (c & 0x3f);
    }
    *ret_have = i;
    return length;
}

size_t printable_char(const char *bytes, size_t n)
{
    uint32_t c;
    size_t have, length = decode(bytes, n, &c, &have);

    return length > 0 && have == length && is_printable(c, length) ? length : 0;
}

bool printable_is_begun(const char *bytes, size_t n)
{
    uint32_t c;
    size_t have, length = decode(bytes, n, &c, &have);

    return length > n && have == n;
}

/* `kept`: characters that are not escaped although they are not printable. */
static size_t write_escaped_text(char *to, size_t size, const char *bytes, size_t n,
                                 const char *kept)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    while (n > 0) {
        const unsigned char c = (unsigned char)*bytes;
        size_t length = c != '\0' && strchr(kept, c) ? 1 : printable_char(bytes, n);
        const char escape[ESCAPE_LENGTH] = {'\\', 'x', digits[c >> 4], digits[c & 0xf]};
        size_t out = length > 0 ? length : ESCAPE_LENGTH;
        if (used + out >= size)
            break;
        memcpy(to + used, length > 0 ? bytes : escape, out);
        used += out;
        bytes += length > 0 ? length : 1;
        n -= length > 0 ? length : 1;
    }
    if (size > 0)
        to[used] = '\0';
    return used;
}

size_t printable(char *to, size_t size, const char *bytes, size_t n)
{
    return write_escaped_text(to, size, bytes, n, "");
}

static char *copy_escaped(const char *text, const char *kept)
{
    size_t n = strlen(text), size = ESCAPE_LENGTH * n + 1;
    char *copy = malloc(size);

    if (copy)
        write_escaped_text(copy, size, text, n, kept);
    return copy;
}

char *printable_copy(const char *text)
{
    return copy_escaped(text, "");
}

char *printable_lines(const char *text)
{
    return copy_escaped(text, "\n\t");
}

struct quoted quoted(const char *text)
{
    struct quoted q;
    size_t n = strlen(text), used = printable(q.s, QUOTED_MAX + 1, text, n);

    /* The buffer has room for one more character, which shows whether anything was cut. */
    char whole[QUOTED_MAX + ESCAPE_LENGTH + 1];
    if (printable(whole, sizeof(whole), text, n) > used)
        memcpy(q.s + used, "...", sizeof("..."));
    return q;
}
