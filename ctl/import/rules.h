/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the rules that take over what was found. */
#pragma once

#include "import/found.h"

struct import_rule {
    struct selection what;
    char name[RULE_NAME_MAX + 1];
    char *addresses; /* in place of what.address: a list; NULL: none */
    bool matched;    /* group = matched */
    bool dropped;    /* another rule does the same */
    struct list origins, devices, comments;
    struct policy parsed; /* this rule alone, as the parser understands it */
};

struct import_rules {
    struct import_rule *v; /* in the order in which they are tried */
    size_t n, allocated;
};

/* Makes them of the claims; what cannot be said becomes a remark. */
void import_rules_make(struct found *f, struct import_rules *ret);
void import_rules_done(struct import_rules *r);

/* Writes the section, without its comments. */
void import_rule_write(const struct import_rule *r, FILE *f);

static inline const struct rule *import_rule_of(const struct import_rule *r)
{
    return &r->parsed.rules[0];
}

/* The first rule that selects the device; NULL: none. */
const struct import_rule *import_rules_match(const struct import_rules *r, const struct device *d);

static inline const struct row *found_row(const struct found *f, const struct device *d)
{
    return &f->s->rows[d - f->s->snapshot.devices];
}

/* Refinements, each in a file of its own. */

/* Drops rules that add nothing to others, and those that contradict an earlier one (overlap.c). */
void import_rules_thin_out(struct found *f, struct import_rules *r);

/* Keeps from coming along what was left alone so far (companions.c). */
void import_rules_hold_companions(struct found *f, struct import_rules *r);

/* Adds what is known of the devices to the comments, and says which blacklists are not needed for
 * their sake (about.c). */
void import_rules_describe(struct found *f, struct import_rules *r);

/* Adds a comment to a rule. */
void import_comment(struct found *f, struct import_rule *r, const char *format, ...) PRINTF(3, 4);
