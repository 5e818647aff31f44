/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A YAML document as a list of libyaml's events: made piece by piece, or read, changed and written
 * again. Everything in the events is kept: the order of keys, anchors, tags, quotes of scalars,
 * flow or block style. Comments are not in the events. Errors (out of memory, text that is not
 * UTF-8) are remembered and returned by doc_write(), so that callers need not check each call. */
#pragma once

#include <stdio.h>
#include <sys/types.h>
#include <yaml.h>

#include "base/util.h"

struct doc {
    yaml_event_t *v; /* without the begin and the end of the stream */
    size_t n, allocated;
    bool failed;
};

void doc_done(struct doc *d);

/* -- making one -- */

void doc_begin(struct doc *d);
void doc_end(struct doc *d);
void doc_map(struct doc *d);
void doc_map_end(struct doc *d);
void doc_list(struct doc *d);
void doc_list_end(struct doc *d);

/* A string, quoted if it could be read as anything else. */
void doc_text(struct doc *d, const char *text);

/* Text of several lines, as a literal block. */
void doc_block(struct doc *d, const char *text);

/* A number, true or false, without quotes. */
void doc_plain(struct doc *d, const char *word);

/* A key and its string. */
void doc_pair(struct doc *d, const char *key, const char *text);

/* -- reading one -- */

struct doc_facts {
    size_t documents;
    size_t comments;
    char error[256]; /* libyaml's message, with the line; "" if the text is YAML */
};

/* Reads the first document of the text. Returns 0, -ENOMEM, or -EINVAL with ret_facts->error. The
 * other facts are about the whole text. */
int doc_read(const char *bytes, size_t size, struct doc *ret, struct doc_facts *ret_facts);

/* The index of the document's root node; 0: it is empty. */
size_t doc_root(const struct doc *d);

/* The index of the event after the node at i. */
size_t doc_next(const struct doc *d, size_t i);

/* The index of the value of this key in the mapping at i; -ENOENT, -EEXIST (the key occurs twice),
 * or -EINVAL (not a mapping). */
ssize_t doc_get(const struct doc *d, size_t i, const char *key);

/* The same, but returns the text; NULL if there is none or it is not a scalar. */
const char *doc_get_text(const struct doc *d, size_t i, const char *key);

/* Is the node at i an empty plain scalar, or ~, or null? */
bool doc_is_null(const struct doc *d, size_t i);

/* The line in the text that was read, from 1. */
size_t doc_line(const struct doc *d, size_t i);

/* Does the node at i have an anchor to which an alias refers? */
bool doc_is_shared(const struct doc *d, size_t i);

/* -- changing one -- */

/* Replaces n events from index i by those of the other document, which is empty then. */
void doc_splice(struct doc *d, size_t i, size_t n, struct doc *other);

/* Adds a copy of the other document's node at i; fails if it contains an alias. */
void doc_copy(struct doc *d, const struct doc *from, size_t i);

/* Can the node at i, the value of this key, be changed without changing something else? Not if it
 * is an alias, or an alias refers to it. Returns 0, or an exit code after printing the reason. */
int doc_check_own(const struct doc *d, size_t i, const char *key);

enum {
    DOC_MAKE = 1 << 0, /* create an empty value if there is none */
    DOC_LIST = 1 << 1, /* the value must be a list, not a mapping */
};

/* Finds the value of this key in the mapping at `map`, in order to change it. Returns 0 and its
 * index, or an exit code after printing an error. */
int doc_enter(struct doc *d, size_t map, const char *key, unsigned flags, size_t *ret);

/* -- writing -- */

/* Writes the documents, separated by "---", and empties them. Returns 0, -ENOMEM, -EINVAL (a text
 * is not UTF-8), or -EIO. */
int doc_write(struct doc *docs, size_t n, FILE *f);
