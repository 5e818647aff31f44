/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of vendors, devices and classes from the pci.ids database, through libpci. It is not an
 * error if there is no database; then there are no names. */
#pragma once

#include "model/snapshot.h"

struct names;

/* Returns NULL if there are no names; all functions accept NULL. */
struct names *names_new(void);
void names_free(struct names *n);

static inline void names_freep(struct names **n)
{
    names_free(*n);
}

/* malloc'ed; NULL if the database has no name. */
char *names_vendor(struct names *n, const struct device *d);
char *names_device(struct names *n, const struct device *d);
char *names_class(struct names *n, const struct device *d);
