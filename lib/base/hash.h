/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNV-1a hashes, to detect that a text or a value has changed. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t hash_bytes(const void *bytes, size_t n)
{
    uint32_t hash = 0x811c9dc5;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x01000193;
    return hash;
}

/* Returns 0 for NULL. */
static inline uint32_t hash_text(const char *s)
{
    return s ? hash_bytes(s, strlen(s)) : 0;
}
