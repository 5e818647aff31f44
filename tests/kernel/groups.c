/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>

static bool is_member(const struct kernel *k, size_t device, int group)
{
    return group != NO_IOMMU && k->devices[device].there && k->devices[device].group == group;
}

static bool has_members(const struct kernel *k, int group)
{
    for (size_t i = 0; i < k->n_devices; i++)
        if (is_member(k, i, group))
            return true;
    return false;
}

int group_lowest_free(const struct kernel *k)
{
    int group = 0;

    while (has_members(k, group))
        group++;
    return group;
}

/* From the first device that a VFIO driver has until the last. */
bool group_has_node(const struct kernel *k, int group)
{
    for (size_t i = 0; i < k->n_devices; i++)
        if (is_member(k, i, group) && k->devices[i].bound &&
            k->drivers[k->devices[i].driver].kind.is_vfio)
            return true;
    return false;
}

/* A driver counts from before its probe() on. Bridges count as all others do. */
bool group_is_viable(const struct kernel *k, int group)
{
    for (size_t i = 0; i < k->n_devices; i++)
        if (is_member(k, i, group) && k->devices[i].driver != NOBODY &&
            !k->drivers[k->devices[i].driver].kind.managed_dma)
            return false;
    return true;
}

bool group_is_claimed(const struct kernel *k, int group)
{
    for (size_t i = 0; i < k->n_claimed; i++)
        if (k->claimed[i] == group)
            return true;
    return false;
}

int group_claim(struct kernel *k, int group)
{
    if (!group_has_node(k, group))
        return -ENOENT;
    if (group_is_claimed(k, group))
        return -EBUSY;
    if (!group_is_viable(k, group))
        return -EPERM;
    if (k->n_claimed == KERNEL_DEVICES_MAX)
        abort();
    k->claimed[k->n_claimed++] = group;
    return 0;
}

void group_release(struct kernel *k, int group)
{
    size_t kept = 0;

    for (size_t i = 0; i < k->n_claimed; i++)
        if (k->claimed[i] != group)
            k->claimed[kept++] = k->claimed[i];
    k->n_claimed = kept;
}
