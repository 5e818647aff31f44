/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/kinds.h"

#include <pci/pci.h>

#include "base/util.h"

/* Base class and subclass. */
static unsigned class_of(const struct device *d)
{
    return d->class_code >> 8;
}

/* NVSwitch and other endpoints of class 0680 are not bridges as their header type shows. */
bool device_is_bridge(const struct device *d)
{
    unsigned class = class_of(d);

    return d->bridge || class == PCI_CLASS_BRIDGE_HOST || class == PCI_CLASS_BRIDGE_ISA ||
           class == PCI_CLASS_BRIDGE_PCI || class == PCI_CLASS_BRIDGE_CARDBUS;
}

bool device_is_gpu_switch(const struct device *d)
{
    return d->vendor == 0x10de && class_of(d) == PCI_CLASS_BRIDGE_OTHER && !d->bridge;
}

bool device_is_refused_by_vfio(const struct device *d)
{
    unsigned class = class_of(d);

    return d->detailed ? d->bridge
                       : class == PCI_CLASS_BRIDGE_PCI || class == PCI_CLASS_BRIDGE_CARDBUS;
}

/* Kinds that cannot carry the host: no disk, network or console can be below them. Any other kind
 * may carry it, even if its class is not known for that: an SD host controller, FireWire,
 * InfiniBand, or a class that does not exist yet. A display that shows the console is recognised
 * separately. */
bool device_may_carry_host(const struct device *d)
{
    static const struct {
        unsigned class, mask, vendor; /* vendor 0: any */
    } safe[] = {
        {0x0300, 0xff00, 0},      /* displays, 3D controllers */
        {0x0400, 0xff00, 0},      /* audio, video */
        {0x0b40, 0xffff, 0},      /* co-processors */
        {0x1200, 0xff00, 0},      /* processing accelerators */
        {0x0680, 0xffff, 0x10de}, /* NVSwitch */
    };

    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
        if ((class_of(d) & safe[i].mask) == safe[i].class &&
            (safe[i].vendor == 0 || safe[i].vendor == d->vendor))
            return false;
    return true;
}

/* A graphics card's USB-C connector: a USB controller and a controller for its power, in the same
 * slot as a display or 3D controller with function 0. They belong to the card, not to the host. */
static bool is_part_of_display(const struct device *d, const struct device *leader)
{
    return (class_of(d) == PCI_CLASS_SERIAL_USB || class_of(d) == 0x0c80) && leader->addr.fn == 0 &&
           leader->class_code >> 16 == PCI_BASE_CLASS_DISPLAY &&
           pci_addr_same_slot(d->addr, leader->addr);
}

bool device_must_be_named(const struct device *d, const struct device *selected)
{
    return device_may_carry_host(d) && !is_part_of_display(d, selected);
}

/* The kernel's rule since 5.19: no driver in the group may let the kernel set up DMA. Drivers that
 * do not are marked (driver_managed_dma); in the kernel's tree these are VFIO's own, pci-stub and
 * pcieport. All others are in the way, even on a bridge or another part of the chipset. */
bool device_is_viable(const struct device *d)
{
    return !d->driver || driver_is_vfio(d->driver) || streq(d->driver, "pci-stub") ||
           streq(d->driver, "pcieport");
}
