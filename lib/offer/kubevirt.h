/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KubeVirt's own device plugin, which is part of virt-handler, does with devices. Pure. */
#pragma once

#include "model/snapshot.h"

/* Does it offer the device, once the ID is permitted? It offers every device that is on exactly
 * vfio-pci and in an IOMMU group, whether the group is viable or not. The device's name is the
 * number of the group. */
bool kubevirt_offers(const struct device *d);
