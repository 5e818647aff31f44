/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: a minimal XML reader that finds elements and their attributes. Comments, CDATA,
 * processing instructions and document types are skipped. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct xml {
    const char *at;
    unsigned line;
    bool broken; /* the text ended inside a tag or comment */
};

struct xml_tag {
    const char *name; /* not terminated by a NUL */
    size_t n_name;
    const char *attributes, *end; /* the text after the name, up to the '>' */
    bool closes, empty;           /* </name>, <name/> */
    unsigned line;
};

static inline struct xml xml_of(const char *text)
{
    return (struct xml){.at = text, .line = 1};
}

/* The next tag; false at the end. */
bool xml_next(struct xml *x, struct xml_tag *ret);

bool xml_is(const struct xml_tag *t, const char *name);

/* Copies the value of an attribute, truncated to the buffer; returns false (and "") if there is
 * none. */
bool xml_attribute(const struct xml_tag *t, const char *name, char *buf, size_t size);
