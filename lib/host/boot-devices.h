/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host used when its initramfs was made. In an initramfs no native driver has a device
 * yet, so no disk shows what it holds and no interface its name. The file that the initramfs brings
 * along replaces that: it lists the PCI devices that the host used, and the names of their disks
 * and interfaces. If the host has not changed since, a device that is not in the list is not what
 * the host boots from.
 *
 * Lines of words; others are for the scripts of the initramfs:
 *   used ADDRESS VENDOR:DEVICE WORDS   WORDS follow "it": "has the file system mounted on /"
 *   incomplete                         something could not be read
 *   name NAME                          of a used device's disk ("dev/disk/by-uuid/…",
 *                                      "dev/mapper/vg-root"), or interface
 *                                      ("enp6s0", "52:54:00:12:34:56") */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/cmdline.h"
#include "model/snapshot.h"

#define BOOT_DEVICES_FILE "usr/lib/vfio-bindd/initramfs"

struct boot_devices {
    bool in_initramfs; /* the root directory is that of an initramfs; if not, everything else is
                        * empty */
    struct used_device *v;
    size_t n, allocated;
    char **names;
    size_t n_names, names_allocated;
    char *doubt; /* why a device that is not in the list may still be needed to boot, as words that
                  * follow "since": "0000:03:00.0 is not there". NULL: it is not needed */
};

void boot_devices_done(struct boot_devices *b);

/* Reads the list below the root, and checks whether its devices are still at their addresses. *ret
 * must be empty. Returns 0 or negative errno. */
int boot_devices_read(int root_fd, struct boot_devices *ret);

/* Notes that a disk (by its path below the root) or an interface (by its name or MAC address) is
 * needed to boot. If it is not in the list, there is doubt. `what` is where it is named:
 * "root=UUID=…". Returns 0 or -ENOMEM. */
int boot_devices_need(struct boot_devices *b, const char *name, const char *what);

/* What the device is needed for, as words that follow "it". *ret is malloc'ed; NULL: it is not
 * needed, or this is not an initramfs. Returns 0 or -ENOMEM. */
int boot_devices_use(const struct boot_devices *b, const struct device *d, char **ret);

/* Writes the list, on the running host. Returns 0, or a negative errno if the list is
 * incomplete. */
int boot_devices_write(int root_fd, const struct snapshot *s, FILE *f);
