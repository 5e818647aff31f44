/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: known problems of KubeVirt on this node. */
#pragma once

#include "check/findings.h"

/* Is it a vGPU of NVIDIA that KubeVirt offers: on nvidia, not a physical function, and with a
 * type? */
bool kubevirt_is_vgpu(struct check *c, const struct device *d);

/* Checks the device nodes that the KubeVirt of this node gives to pods. */
void check_kubevirt(struct check *c, const char *checkpoint);
