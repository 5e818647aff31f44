/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the kernel's modules. */
#pragma once

#include "check/findings.h"

/* Is the module in modules.builtin or modules.dep of the running kernel? Their lines begin with
 * paths like kernel/drivers/vfio/pci/vfio-pci.ko.xz. */
bool check_lists_module(struct check *c, const char *file, const char *module);
