/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel modules by alias: which VFIO variant driver fits a device best, which modules contain its
 * native drivers, and which drivers a loaded module registered.
 *
 * * Reads depmod's modules.alias as a stream (about 1 MB), not through libkmod. libkmod takes a
 * path instead of a descriptor, and returns the modules without the patterns that matched, which
 * are needed to find the most specific variant. `folder` has the running kernel's files, normally
 * usr/lib/modules/RELEASE; `modalias` is that of the device: "pci:v000010DEd…". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MODULE_NAME_MAX 64
#define MODULE_NAMES_MAX 32

struct module_names {
    char v[MODULE_NAMES_MAX][MODULE_NAME_MAX]; /* without duplicates; further ones are dropped */
    size_t n;
};

/* Is this a module's (or PCI driver's) name: letters, digits, "_", "-"? */
bool module_name_is_valid(const char *name);

/* The running kernel's folder of modules below the root. Returns 1, 0 (there is none) or negative
 * errno. */
#define MODULES_FOLDER_MAX 128
int modules_find_folder(int root_fd, char ret[static MODULES_FOLDER_MAX]);

/* The aliases of VFIO variant drivers ("vfio_pci:v…"); a kernel has a few dozen. */
struct variant_aliases {
    struct variant_alias *v;
    size_t n, allocated;
    bool no_memory; /* some are missing */
};

/* Reads them once for many devices; *ret must be empty. Call variant_aliases_done() in any case.
 * Returns 0 or negative errno. */
int variant_aliases_read(int root_fd, const char *folder, struct variant_aliases *ret);
void variant_aliases_done(struct variant_aliases *a);

/* The module with the most specific alias for the device: the fewest wildcards, then the first.
 * vfio_pci itself matches every device. The module's driver may have another name:
 * modules_drivers() finds it once the module is loaded. NULL: no module matches. */
const char *modules_variant(const struct variant_aliases *a, const char *modalias);

/* Is this the module of a variant, or vfio_pci? */
bool modules_is_variant(const struct variant_aliases *a, const char *module);

/* Adds the modules with an alias for the device (of the PCI or virtio bus), as modprobe would load
 * them: in the order of modules.alias, then those that are built into the kernel (from
 * modules.builtin.modinfo, where the kernel's package has it). Returns 0 or negative errno. */
int modules_native(int root_fd, const char *folder, const char *modalias, struct module_names *ret);

/* Adds the PCI drivers that a module registered, built-in ones as well, from /sys/module. Returns
 * 0, -ENOENT (neither loaded nor built in, or it has no drivers) or another negative errno. */
int modules_drivers(int root_fd, const char *module, struct module_names *ret);
