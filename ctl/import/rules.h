/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the rules that are made from the findings. */
#pragma once

#include "import/found.h"

struct import_rule {
    struct selection what;
    char name[RULE_NAME_MAX + 1];
    char *addresses; /* a list that replaces what.address; NULL: none */
    char *ids;       /* a list that replaces what.id, perhaps empty; NULL: none */
    bool matched;    /* group = matched */
    bool dropped;    /* another rule has the same effect */
    bool at_boot;    /* as in struct claim */
    struct list origins, devices, comments;
    struct policy parsed; /* this rule alone, as parsed */
};

struct import_rules {
    struct import_rule *v; /* in the order in which they are tried */
    size_t n, allocated;
};

void import_rules_done(struct import_rules *r);
void import_rule_done(struct import_rule *r);

/* Adds a rule, takes ownership of it, and gives it a name. Returns NULL, with a remark or `failed`,
 * if the parser refuses it. */
struct import_rule *import_rules_append(struct found *f, struct import_rules *all,
                                        struct import_rule *r);

/* Parses a rule again after a change. Returns false if the parser refuses it. */
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
