/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device is, as far as that decides what may be done with it. Pure. */
#pragma once

#include "model/snapshot.h"

/* Could the host live on it although nothing shows that yet while it is booting? */
bool plan_may_carry_host(const struct device *d);

/* A bridge, by its header type or class: never bound. */
bool device_is_bridge(const struct device *d);

/* Must a further function of a card be named itself, although the first is selected? The host may
 * live on it as well as on that one: the second port of a network card, a disk. What cannot carry a
 * host comes along, and so does the USB controller of a graphics card. */
bool device_must_be_named(const struct device *d, const struct device *selected);

/* Does the device, on the driver it has now, leave its IOMMU group viable for VFIO? */
bool device_is_viable(const struct device *d);
