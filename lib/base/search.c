/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/search.h"

#include <stdint.h>

int compare_uint32(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

size_t lower_bound(const void *key, const void *array, size_t n, size_t size,
                   search_compare *compare)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(key, (const char *)array + middle * size) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
