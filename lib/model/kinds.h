/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device is, as far as that decides what may be done with it. Pure. */
#pragma once

#include "model/snapshot.h"

/* Could the host live on a device of this kind? While the host boots, nothing shows that yet. */
bool device_may_carry_host(const struct device *d);

/* A bridge, by its header type or class: never bound. */
bool device_is_bridge(const struct device *d);

/* Does it join the GPUs of the host (NVIDIA's NVSwitch)? */
bool device_is_gpu_switch(const struct device *d);

/* Does vfio-pci's probe() refuse it? It does if the header is not of type 0. The host bridge and
 * the ISA bridge of a chip set have that type: a dynamic ID takes them. */
bool device_is_refused_by_vfio(const struct device *d);

/* Must this function be named by a rule itself, although another function of its card is selected?
 * It must if the host may live on it, like the second port of a network card. What cannot carry the
 * host comes along, and so does the USB controller of a graphics card. */
bool device_must_be_named(const struct device *d, const struct device *selected);

/* Does the device, on the driver it has now, leave its IOMMU group viable for VFIO? */
bool device_is_viable(const struct device *d);
