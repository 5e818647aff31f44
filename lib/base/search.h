/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binary search in a sorted array. */
#pragma once

#include <stddef.h>

/* Compares the key with an element, like strcmp(). */
typedef int search_compare(const void *key, const void *element);

/* Compares two elements of type uint32_t. */
int compare_uint32(const void *x, const void *y);

/* The index of the first of the n elements that is not less than the key; n if there is none. */
size_t lower_bound(const void *key, const void *array, size_t n, size_t size,
                   search_compare *compare);
