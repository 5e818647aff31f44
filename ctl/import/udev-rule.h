/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: an udev rule. It is a list of KEY OP "VALUE"; what has "==" for its operator selects.
 * Pure. */
#pragma once

#include "import/selection.h"

struct udev_token {
    char *key, *value;
    char op[3];
};

/* The next KEY OP "VALUE" of a rule, which is cut up. Returns 1, 0 at the end, or -EINVAL. */
int udev_next_token(char **rest, struct udev_token *ret);

/* Does this condition never hold for a PCI device that appears? */
bool udev_excludes_new_pci(const struct udev_token *t);

#define ALTERNATIVES_MAX 16

/* "a|b|c" */
struct alternatives {
    char *v[ALTERNATIVES_MAX];
    size_t n;
};

/* What a rule asks of the device, and does with it. */
struct udev_rule {
    struct alternatives address, vendor, device, subvendor, subdevice, class, id, subsystem;
    const char *driver;  /* NULL: it writes no override */
    const char *target;  /* another device's address, in a command of the rule; NULL: none */
    const char *foreign; /* a condition that no rule of ours can have; NULL: none */
    bool parents;        /* a condition may hold for a device above this one instead */
};

void udev_rule_take(struct udev_rule *r, const struct udev_token *t);

/* How many combinations all alternatives have; at most a little more than `max` are counted. */
size_t udev_rule_count(const struct udev_rule *r, size_t max);

enum udev_said {
    UDEV_SAID,
    UDEV_UNSAYABLE, /* or it selects nothing of its own */
    UDEV_NEVER,     /* nothing is spelled as the rule has it */
};

/* One of the combinations, by its number. */
enum udev_said udev_rule_select(const struct udev_rule *r, size_t number, struct selection *s);
