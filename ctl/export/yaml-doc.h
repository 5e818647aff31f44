/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One YAML document as the list of libyaml's events: made piece by piece, or read, changed and
 * written back with everything kept that events carry (order of keys, anchors, tags, how scalars
 * are quoted, flow or block style). Comments are not among that. Errors (out of memory, text that
 * is no UTF-8) are kept and come out of doc_write(), so that callers need not look after each
 * piece. */
#pragma once

#include <stdio.h>
#include <sys/types.h>
#include <yaml.h>

#include "base/util.h"

struct doc {
    yaml_event_t *v; /* without the stream's own two events */
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

/* A string: quoted where somebody could read it as anything else. */
void doc_text(struct doc *d, const char *text);

/* Text of several lines, as a literal block. */
void doc_block(struct doc *d, const char *text);

/* A number, true or false: as it is. */
void doc_plain(struct doc *d, const char *word);

/* A key and its string. */
void doc_pair(struct doc *d, const char *key, const char *text);

/* -- reading one -- */

struct doc_facts {
    size_t documents;
    size_t comments;
    char error[256]; /* what libyaml says, with the line; "" if the text is YAML */
};

/* Reads the first document of the text. Returns 0, -ENOMEM, or -EINVAL with ret_facts->error. The
 * other facts are those of the whole text. */
int doc_read(const char *bytes, size_t size, struct doc *ret, struct doc_facts *ret_facts);

/* The index of the document's root node; 0: it is empty. */
size_t doc_root(const struct doc *d);

/* The index of the event behind the node at i. */
size_t doc_next(const struct doc *d, size_t i);

/* The index of the value of this key in the mapping at i; -ENOENT, -EEXIST (it stands there twice),
 * or -EINVAL (no mapping). */
ssize_t doc_get(const struct doc *d, size_t i, const char *key);

/* The same, its text; NULL if there is none or it is no scalar. */
const char *doc_get_text(const struct doc *d, size_t i, const char *key);

/* Is the node at i an empty plain scalar, or ~, or null? */
bool doc_is_null(const struct doc *d, size_t i);

/* The line in the text that was read, from 1. */
size_t doc_line(const struct doc *d, size_t i);

/* Has the node at i an anchor that an alias elsewhere points at? */
bool doc_is_shared(const struct doc *d, size_t i);

/* -- changing one -- */

/* Takes out n events from index i and puts those of the other in their place, which is empty then.
 */
void doc_splice(struct doc *d, size_t i, size_t n, struct doc *other);

/* Adds a copy of the other document's node at i; one with an alias in it fails. */
void doc_copy(struct doc *d, const struct doc *from, size_t i);

/* May the node at i, the value of this key, be changed without changing something else: is it no
 * alias, and does none point at it? Returns 0, or an exit code after saying why. */
int doc_check_own(const struct doc *d, size_t i, const char *key);

enum {
    DOC_MAKE = 1 << 0, /* an empty one is made where there is none */
    DOC_LIST = 1 << 1, /* a list is wanted, not a mapping */
};

/* Goes to the value of this key in the mapping at `map`, to change it. Returns 0 and its index, or
 * an exit code after saying what is wrong with it. */
int doc_enter(struct doc *d, size_t map, const char *key, unsigned flags, size_t *ret);

/* -- writing -- */

/* Writes documents, from the second on behind "---", and empties them. Returns 0, -ENOMEM, -EINVAL
 * (a text is no UTF-8), or -EIO. */
int doc_write(struct doc *docs, size_t n, FILE *f);
