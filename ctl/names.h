/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of vendors, devices and classes out of the pci.ids database, through libpci. Without a
 * database there are no names, and that is no error. */
#pragma once

#include "model/snapshot.h"

struct names;

/* NULL: no names then; every function here accepts that. */
struct names *names_new(void);
void names_free(struct names *n);

static inline void names_freep(struct names **n)
{
    names_free(*n);
}

/* malloc'ed; NULL where the database knows none. */
char *names_vendor(struct names *n, const struct device *d);
char *names_device(struct names *n, const struct device *d);
char *names_class(struct names *n, const struct device *d);
