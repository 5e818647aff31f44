/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: a udev rule. It is a list of KEY OP "VALUE"; those with the operator "==" are conditions.
 * Pure. */
#pragma once

#include "import/selection.h"

struct udev_token {
    char *key, *value;
    char op[3];
};

/* Reads the next KEY OP "VALUE" of a rule, and modifies the rule. Returns 1, 0 at the end, or
 * -EINVAL. */
int udev_next_token(char **rest, struct udev_token *ret);

/* Is this condition never true for a PCI device that appears? */
bool udev_excludes_new_pci(const struct udev_token *t);

#define ALTERNATIVES_MAX 16

/* "a|b|c" */
struct alternatives {
    char *v[ALTERNATIVES_MAX];
    size_t n;
};

/* The conditions and the effect of a rule. */
struct udev_rule {
    struct alternatives address, vendor, device, subvendor, subdevice, class, id, subsystem;
    const char *driver;  /* NULL: it does not write an override */
    const char *target;  /* address of another device in a command of the rule; NULL: none */
    const char *foreign; /* a condition that our rules cannot express; NULL: none */
    bool parents;        /* a condition may match a parent device instead */
};

void udev_rule_take(struct udev_rule *r, const struct udev_token *t);

/* The number of combinations of all alternatives; the count stops shortly after `max`. */
size_t udev_rule_count(const struct udev_rule *r, size_t max);

enum udev_said {
    UDEV_SAID,
    UDEV_UNSAYABLE, /* cannot be expressed, or selects nothing by itself */
    UDEV_NEVER,     /* never matches, because of its spelling */
};

/* The combination with this number. */
enum udev_said udev_rule_select(const struct udev_rule *r, size_t number, struct selection *s);
