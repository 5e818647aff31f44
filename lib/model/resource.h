/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of extended resources, under which a cluster hands out devices: "nvidia.com/gpu_dev1".
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* KubeVirt makes the name of an environment variable from it, behind a prefix: a longer name does
 * not fit. */
#define RESOURCE_NAME_MAX 61

/* Does the Kubernetes API accept it as an extended resource, and KubeVirt for a host device? The
 * reserved domain kubernetes.io is not checked here: see resource_is_reserved(). */
bool resource_is_valid(const char *name);

/* Is its domain kubernetes.io, or one below that? */
bool resource_is_reserved(const char *name);

/* Are these two different names that KubeVirt cannot tell apart? It writes them in upper case, and
 * '/' and '.' as '_' (1.9, pkg/util/util.go: ResourceNameToEnvVar()). */
bool resource_collides(const char *a, const char *b);

/* The domain of a vendor's device plugin; NULL where none is known. */
const char *resource_domain(uint16_t vendor);

/* The name for a rule that gives none, formed as NVIDIA's device plugin for KubeVirt does it from
 * the name in pci.ids: "GA100 [A100 PCIe 40GB]" -> "nvidia.com/GA100_A100_PCIE_40GB". If `model` is
 * NULL, because the database does not know it, the device's ID is used instead. The result is
 * always valid. */
void resource_default(uint16_t vendor, uint16_t device, const char *model,
                      char buf[static RESOURCE_NAME_MAX + 1]);
