/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what vfio-pci's parameter ids= selects. Pure but for ids_claim(). */
#pragma once

#include "import/found.h"

/* Reads one item, VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE[:CLASS[:MASK]]]], as the kernel does. Returns
 * 0, with what cannot be said in a rule in *ret_lost (static, or NULL), or -EINVAL, with the reason
 * there. */
int ids_parse(const char *item, struct selection *ret, const char **ret_lost);

/* Claims all items of a list. */
void ids_claim(struct found *f, const char *list, const char *path, unsigned line,
               const char *what);

/* Finds vfio-pci.ids= (or vfio_pci.ids=) in a line that holds a kernel command line, perhaps in
 * quotes; the last one counts. `value` is without quotes. Returns false if there is none. */
struct ids_found {
    char value[1100];
    bool quoted; /* there are quotes around the value itself */
};
bool ids_find(const char *line, struct ids_found *ret);
