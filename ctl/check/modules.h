/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the kernel's modules. */
#pragma once

#include "check/findings.h"

/* Does modules.builtin or modules.dep of the running kernel name the module? Their lines begin with
 * or consist of paths like kernel/drivers/vfio/pci/vfio-pci.ko.xz. */
bool check_lists_module(struct check *c, const char *file, const char *module);
