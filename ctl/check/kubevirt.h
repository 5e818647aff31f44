/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what KubeVirt itself stumbles over on this node. */
#pragma once

#include "check/findings.h"

/* Is it a vGPU of NVIDIA's that KubeVirt offers: on nvidia, no physical function, of some type? */
bool kubevirt_is_vgpu(struct check *c, const struct device *d);

/* The device nodes that KubeVirt hands to pods, for the version that runs here. */
void check_kubevirt(struct check *c, const char *checkpoint);
