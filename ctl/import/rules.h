/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the rules that take over what was found. */
#pragma once

#include "import/found.h"

struct import_rule {
    struct selection what;
    char name[RULE_NAME_MAX + 1];
    char *addresses; /* in place of what.address: a list; NULL: none */
    char *ids;       /* in place of what.id: a list, perhaps empty; NULL: none */
    bool matched;    /* group = matched */
    bool dropped;    /* another rule does the same */
    bool at_boot;    /* as in struct claim */
    struct list origins, devices, comments;
    struct policy parsed; /* this rule alone, as the parser understands it */
};

struct import_rules {
    struct import_rule *v; /* in the order in which they are tried */
    size_t n, allocated;
};

void import_rules_done(struct import_rules *r);
void import_rule_done(struct import_rule *r);

/* Adds a rule, which it takes over and gives a name. Returns NULL, with a remark or `failed`, if
 * the parser does not take it. */
struct import_rule *import_rules_append(struct found *f, struct import_rules *all,
                                        struct import_rule *r);

/* Reads anew a rule of which a text was changed. Returns false if the parser does not take it. */
bool import_rule_parse(struct import_rule *r);

/* Writes the section, without its comments. */
void import_rule_write(const struct import_rule *r, FILE *f);

static inline const struct rule *import_rule_of(const struct import_rule *r)
{
    return &r->parsed.rules[0];
}

/* The first rule that selects the device; NULL: none. */
const struct import_rule *import_rules_match(const struct import_rules *r, const struct device *d);

/* Adds a comment to a rule. */
void import_comment(struct found *f, struct import_rule *r, const char *format, ...) PRINTF(3, 4);
