/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers for every file: cleanup attributes, array length, string comparison. */
#pragma once

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))
#define CLEANUP_FREE CLEANUP(freep)
#define CLEANUP_CLOSE CLEANUP(closep)
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
#define USEC_PER_SEC 1000000ULL

static inline void freep(void *p)
{
    free(*(void **)p);
}

static inline void closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void closedirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

static inline void fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
}

/* Returns the descriptor and clears the variable: the caller takes ownership. */
static inline int take_fd(int *fd)
{
    int r = *fd;
    *fd = -1;
    return r;
}

static inline bool streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static inline bool streq_null(const char *a, const char *b)
{
    return (!a && !b) || (a && b && streq(a, b));
}

/* The rest of s after the prefix, or NULL if s does not begin with it. */
static inline const char *after_prefix(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Writes all n bytes. Returns 0 or negative errno. */
static inline int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR)
            return -errno;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Is the character allowed in names of rules and resources? */
static inline bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* The index of a word in a table of words, or -1. */
static inline int word_index(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] && streq(words[i], word))
            return (int)i;
    return -1;
}

/* Makes room for one more element in a growing array; false when out of memory. */
static inline bool grow(void *array, size_t *allocated, size_t used, size_t element)
{
    void **p = array;
    if (used < *allocated)
        return true;
    size_t n = *allocated ? *allocated * 2 : 8;
    void *q = reallocarray(*p, n, element);
    if (!q)
        return false;
    *p = q;
    *allocated = n;
    return true;
}
