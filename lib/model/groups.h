/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices are in which IOMMU group, as values: they outlive the snapshot that they are of. */
#pragma once

#include "model/snapshot.h"

struct group_member {
    uint32_t group;
    uint32_t index; /* in the snapshot, as long as that is unchanged */
    struct pci_addr addr;
};

struct groups {
    struct group_member *v; /* sorted by group and address; devices without one are left out */
    size_t n;
};

/* Returns 0 or -ENOMEM. */
int groups_make(const struct snapshot *s, struct groups *ret);
void groups_done(struct groups *g);

/* The members of a group, in the order of addresses: the position of the first, then each with the
 * position of the next; NULL after the last, and at once for NO_GROUP. */
size_t groups_start(const struct groups *g, uint32_t group);
const struct group_member *groups_next(const struct groups *g, uint32_t group, size_t *i);
