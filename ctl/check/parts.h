/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the preflight's parts. Each looks at one side of the host and adds findings; check.c runs
 * them and prints. */
#pragma once

#include "check/findings.h"

void check_firmware(struct check *c); /* tables, IOMMU, interrupt remapping */
void check_modules(struct check *c); /* vfio-pci, /dev/vfio/vfio, /dev/kvm, the kernel's settings */
void check_service(struct check *c); /* the daemon */
void check_policy(struct check *c);  /* errors, what each rule matches, resource names */
void check_devices(struct check *c); /* states, groups, nodes, BARs */
void check_access(struct check *c);  /* who may open their nodes */
void check_vfs(struct check *c); /* virtual functions that rules ask for, and who else makes some */
void check_initramfs(struct check *c);  /* native drivers that are earlier than we */
void check_claimants(struct check *c);  /* who else would bind the same devices */
void check_kubernetes(struct check *c); /* what kubelet has seen */
