/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of extended resources, under which a cluster offers devices: "nvidia.com/gpu_dev1".
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* KubeVirt makes the name of an environment variable from a prefix and this name: a longer name
 * does not fit. */
#define RESOURCE_NAME_MAX 61

/* Does the Kubernetes API accept this as an extended resource, and KubeVirt for a host device? The
 * reserved domain kubernetes.io is not checked here: see resource_is_reserved(). */
bool resource_is_valid(const char *name);

/* Is its domain kubernetes.io, or a subdomain of it? */
bool resource_is_reserved(const char *name);

/* Are these two different names that KubeVirt cannot distinguish? It converts names to upper case,
 * and '/' and '.' to '_' (1.9, pkg/util/util.go: ResourceNameToEnvVar()). */
bool resource_collides(const char *a, const char *b);

/* The domain of a vendor's device plugin; NULL: none is known. */
const char *resource_domain(uint16_t vendor);

/* The name for a rule without `resource`, made from the name in pci.ids like NVIDIA's device plugin
 * for KubeVirt makes it: "GA100 [A100 PCIe 40GB]" -> "nvidia.com/GA100_A100_PCIE_40GB". If `model`
 * is NULL, because the database does not have it, the ID of the device is used instead. The result
 * is always valid. */
void resource_default(uint16_t vendor, uint16_t device, const char *model,
                      char buf[static RESOURCE_NAME_MAX + 1]);
