/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the parts of the preflight. Each examines one aspect of the host and adds findings;
 * check.c runs them and prints the findings. */
#pragma once

#include "check/findings.h"

void check_firmware(struct check *c); /* tables, IOMMU, interrupt remapping */
void check_modules(struct check *c); /* vfio-pci, /dev/vfio/vfio, /dev/kvm, the kernel's settings */
void check_service(struct check *c); /* the daemon */
void check_policy(struct check *c);  /* errors, what each rule matches, resource names */
void check_devices(struct check *c); /* states, groups, nodes, BARs */
void check_access(struct check *c);  /* who may open their nodes */
void check_vfs(struct check *c);     /* virtual functions: by rules, and by other tools */
void check_initramfs(struct check *c);  /* native drivers that run before vfio-bindd */
void check_claimants(struct check *c);  /* other tools that would bind the same devices */
void check_kubernetes(struct check *c); /* the devices that kubelet counts */
