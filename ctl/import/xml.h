/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: just enough XML to find elements and their attributes: comments, CDATA, processing
 * instructions and a document type are passed over. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct xml {
    const char *at;
    unsigned line;
    bool broken; /* it ended inside of something */
};

struct xml_tag {
    const char *name; /* not ended by a NUL */
    size_t n_name;
    const char *attributes, *end; /* what is behind the name, up to the '>' */
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

/* The value of an attribute, cut to the buffer; false (and "") if it is not there. */
bool xml_attribute(const struct xml_tag *t, const char *name, char *buf, size_t size);
