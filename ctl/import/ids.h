/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what the parameter ids= of vfio-pci and pci-stub selects. Pure but for ids_claim(). */
#pragma once

#include "import/found.h"

/* Who has such a parameter. */
extern const char *const ids_modules[IDS_MODULES];
extern const char *const ids_spellings[IDS_MODULES]; /* as patterns of sed(1) */

/* '-' and '_' mean the same in a module's name. */
bool ids_same_module(const char *a, const char *b);

/* Reads one item, VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE[:CLASS[:MASK]]]], as the kernel does. Returns
 * 0, with what cannot be said in a rule in *ret_lost (static, or NULL); with the reason there,
 * -EINVAL (it takes no device) or -ENOTSUP (what it takes cannot be said in a rule). */
int ids_parse(const char *item, const char *driver, struct selection *ret, const char **ret_lost);

/* Can rules say all that a list takes? */
bool ids_are_sayable(const char *list);

/* Where a list stands, and for whom. */
struct ids_place {
    const char *module; /* one of the above */
    const char *path;
    unsigned line;
    const char *what; /* for the origin */
    bool only_known;  /* what is not claimed yet is not in effect */
};

/* Claims all items of a list. */
void ids_claim(struct found *f, const char *list, const struct ids_place *p);

/* Finds MODULE.ids= in a line that holds a kernel command line, perhaps in quotes; the last one
 * counts. `value` is without quotes. Returns false if there is none. */
struct ids_found {
    char value[1100];
    bool plain; /* of each in the line: digits and separators, up to a blank, a quote or the end */
};
bool ids_find(const char *line, const char *module, struct ids_found *ret);
