/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of a snapshot by their IOMMU groups. Valid until a device comes or goes, or is looked
 * at anew. */
#pragma once

#include "snapshot.h"

struct groups {
    const struct snapshot *snapshot;
    uint32_t *v; /* its devices, in the order of their groups */
};

/* Returns 0 or -ENOMEM. */
int groups_make(const struct snapshot *s, struct groups *ret);
void groups_done(struct groups *g);

/* The members of a group, in the order of addresses: the position of the first, then each with the
 * position of the next; NULL after the last, and at once for NO_GROUP. */
size_t groups_start(const struct groups *g, uint32_t group);
const struct device *groups_next(const struct groups *g, uint32_t group, size_t *i);
