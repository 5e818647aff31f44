/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The physical slots of the host, from /sys/bus/pci/slots. */
#pragma once

#include <stddef.h>

#include "model/address.h"

struct slots {
    struct slot *v;
    size_t n, allocated;
};

/* Reads all of them; *ret must be empty. Returns 0 (also if there are none) or a negative errno:
 * then there may be more. */
int slots_read(int root_fd, struct slots *ret);
void slots_done(struct slots *l);

/* The name of a device's slot, malloc'ed; NULL: it has none. */
char *slots_name(const struct slots *l, struct pci_addr a);
