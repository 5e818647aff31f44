/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the parameter ids= of vfio-pci and pci-stub. Pure, except ids_claim(). */
#pragma once

#include "import/found.h"

/* The modules with this parameter. */
extern const char *const ids_modules[IDS_MODULES];
extern const char *const ids_spellings[IDS_MODULES]; /* as patterns of sed(1) */

/* In names of modules '-' equals '_'. */
bool ids_same_module(const char *a, const char *b);

/* Parses one item, VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE[:CLASS[:MASK]]]], like the kernel. Returns
 * 0, and in *ret_lost what a rule cannot express (static, or NULL); or an error, with the reason
 * there: -EINVAL (it matches no device) or -ENOTSUP (no rule can express it). */
int ids_parse(const char *item, const char *driver, struct selection *ret, const char **ret_lost);

/* Can rules express the whole list? */
bool ids_are_sayable(const char *list);

/* The position of a list, and its module. */
struct ids_place {
    const char *module; /* an element of ids_modules */
    const char *path;
    unsigned line;
    const char *what; /* for the origin of the claims */
    bool only_known;  /* not in effect: only items that are claimed already count */
};

/* Claims all items of a list. */
void ids_claim(struct found *f, const char *list, const struct ids_place *p);

/* Finds MODULE.ids= in a line that contains a kernel command line, possibly in quotes; the last one
 * counts. `value` has no quotes. Returns false if there is none. */
struct ids_found {
    char value[1100];
    bool plain; /* every list in the line has only digits and separators, up to a blank, a quote or
                   the end */
};
bool ids_find(const char *line, const char *module, struct ids_found *ret);
