/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KubeVirt's own device plugin, which is part of virt-handler, makes of devices. Pure. */
#pragma once

#include "model/snapshot.h"

/* Does it offer the device, once the ID is permitted? It does so for what it finds on literally
 * vfio-pci and in an IOMMU group, whether the group is viable or not, and calls it by the group. */
bool kubevirt_offers(const struct device *d);
