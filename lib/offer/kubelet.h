/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kubelet's checkpoint of its device plugins: which devices it counts for which resource. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KUBELET_CHECKPOINT "var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
#define KUBELET_CHECKPOINT_MAX ((size_t)16 << 20)

/* The healthy devices of one resource. */
struct kubelet_devices {
    uint32_t *groups; /* devices whose ID is a number: IOMMU groups, as in KubeVirt */
    size_t n;
    size_t others; /* number of devices with other IDs */
};

/* Finds a resource. Returns 1, 0 (no plugin has registered it), -EBADMSG (the text is not such a
 * checkpoint) or -ENOMEM. Free ret->groups. */
int kubelet_find(const char *checkpoint, const char *resource, struct kubelet_devices *ret);
