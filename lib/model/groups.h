/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of each IOMMU group. This is a copy: it outlives the snapshot that it was made
 * from. */
#pragma once

#include "model/snapshot.h"

struct group_member {
    uint32_t group;
    uint32_t index; /* index of the device in the snapshot, as long as the snapshot is unchanged */
    struct pci_addr addr;
};

struct groups {
    struct group_member *v; /* sorted by group and address; has no devices without a group */
    size_t n;
};

/* Returns 0 or -ENOMEM. */
int groups_make(const struct snapshot *s, struct groups *ret);
void groups_done(struct groups *g);

/* Iterate over the members of a group in the order of addresses. groups_start() returns the
 * position of the first member; groups_next() returns the member at *i and advances *i. It returns
 * NULL after the last member, and always for NO_GROUP. */
size_t groups_start(const struct groups *g, uint32_t group);
const struct group_member *groups_next(const struct groups *g, uint32_t group, size_t *i);
