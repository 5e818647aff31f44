/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kind of a device, as far as it decides how the device may be treated. Pure. */
#pragma once

#include "model/snapshot.h"

/* Could the host depend on a device of this kind? During the boot nothing shows yet whether it
 * does. */
bool device_may_carry_host(const struct device *d);

/* Is it a bridge, by its header type or class? Bridges are never bound. */
bool device_is_bridge(const struct device *d);

/* Does it connect the GPUs of the host (NVIDIA's NVSwitch)? */
bool device_is_gpu_switch(const struct device *d);

/* Does vfio-pci's probe() refuse it? It does if the header is not of type 0. The host bridge and
 * the ISA bridge of a chipset have type 0, so a dynamic ID takes them. */
bool device_is_refused_by_vfio(const struct device *d);

/* Must a rule name this function itself, although another function of its card is selected? It must
 * if the host may depend on it, like the second port of a network card. Functions that cannot carry
 * the host come along, and so does the USB controller of a graphics card. */
bool device_must_be_named(const struct device *d, const struct device *selected);

/* With its current driver, does the device leave its IOMMU group viable for VFIO? */
bool device_is_viable(const struct device *d);
