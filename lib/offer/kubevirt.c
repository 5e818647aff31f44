/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offer/kubevirt.h"

#include "base/util.h"

/* KubeVirt 1.9.0, pkg/virt-handler/device-manager/pci_device.go: discoverPermittedHostPCIDevices().
 * It also takes NVIDIA's vGPU functions, but these are on nvidia, so they do not concern us. */
bool kubevirt_offers(const struct device *d)
{
    return d->driver && streq(d->driver, "vfio-pci") && d->group != NO_GROUP;
}
