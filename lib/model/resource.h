/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of extended resources, under which a cluster hands out devices: "nvidia.com/gpu_dev1".
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* KubeVirt makes an environment variable's name of it, behind a prefix: more does not fit. */
#define RESOURCE_NAME_MAX 61

/* Does the Kubernetes API take it as an extended resource, and KubeVirt for a host device? The
 * domain kubernetes.io, which is reserved, is a matter of its own. */
bool resource_is_valid(const char *name);

/* Is its domain kubernetes.io, or one below that? */
bool resource_is_reserved(const char *name);

/* Are these two names that KubeVirt cannot tell apart (in upper case, '/' and '.' as '_')? A name
 * is no conflict with itself. */
bool resource_collides(const char *a, const char *b);

/* The domain of a vendor's device plugin; NULL where none is known. */
const char *resource_domain(uint16_t vendor);

/* A name for a rule that gives none, as NVIDIA's device plugin for KubeVirt forms it of the name in
 * pci.ids: "GA100 [A100 PCIe 40GB]" -> "nvidia.com/GA100_A100_PCIE_40GB". `model` NULL: the
 * database knows none, the device's ID stands in. Always valid. */
void resource_default(uint16_t vendor, uint16_t device, const char *model,
                      char buf[static RESOURCE_NAME_MAX + 1]);
