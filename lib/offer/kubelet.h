/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kubelet's checkpoint of its device plugins: which devices it counts for which resource. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KUBELET_CHECKPOINT "var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
#define KUBELET_CHECKPOINT_MAX ((size_t)16 << 20)

/* The devices of one resource that are healthy. */
struct kubelet_devices {
    uint32_t *groups; /* those whose ID is a number, as KubeVirt's are: IOMMU groups */
    size_t n;
    size_t others; /* how many have another ID */
};

/* What kubelet knows of a resource. Returns 1, 0 (no plugin has registered it), -EBADMSG (the text
 * is no such checkpoint) or -ENOMEM. Free ret->groups. */
int kubelet_find(const char *checkpoint, const char *resource, struct kubelet_devices *ret);
