/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzz target has: the entry that libFuzzer, or replay.c, calls with each input. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any input. */
#define REQUIRE(condition, ...)                                                           \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s does not hold: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                                 \
            fputc('\n', stderr);                                                          \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

/* What is not read yet of an input that is several files, with a line "%%" between two. */
struct pieces {
    const char *bytes;
    size_t size;
};

/* The next file, malloc'ed and of exactly *ret_size bytes so that a sanitizer sees who reads past
 * it; NULL at the end. */
static inline char *next_piece(struct pieces *p, size_t *ret_size)
{
    static const char mark[] = "%%\n";
    const char *end = p->bytes ? memmem(p->bytes, p->size, mark, sizeof(mark) - 1) : NULL;
    size_t used = end ? (size_t)(end - p->bytes) : p->size;

    if (!p->bytes)
        return NULL;
    char *copy = malloc(used ? used : 1);
    REQUIRE(copy, "out of memory");
    memcpy(copy, p->bytes, used);
    *ret_size = used;
    p->size -= end ? used + sizeof(mark) - 1 : used;
    p->bytes = end ? end + sizeof(mark) - 1 : NULL;
    return copy;
}

/* The same as a string: it ends at the first NUL. */
static inline char *next_text(struct pieces *p)
{
    size_t size;
    CLEANUP_FREE char *bytes = next_piece(p, &size);
    char *text = bytes ? strndup(bytes, size) : NULL;

    REQUIRE(text || !bytes, "out of memory");
    return text;
}
