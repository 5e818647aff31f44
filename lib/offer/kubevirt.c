/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offer/kubevirt.h"

#include "base/util.h"

/* KubeVirt 1.9.0, pkg/virt-handler/device-manager/pci_device.go: discoverPermittedHostPCIDevices().
 * NVIDIA's vGPU functions, which it takes as well, are on nvidia and so none of ours. */
bool kubevirt_offers(const struct device *d)
{
    return d->driver && streq(d->driver, "vfio-pci") && d->group != NO_GROUP;
}
