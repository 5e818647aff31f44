/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence that the host is going to use a device, for the part of the boot when use is not visible
 * yet: what /etc/fstab, /etc/crypttab and the kernel command line name. Takes no device lock.
 *
 * * A disk is found through its node or its links in /dev (made by udev, in the initramfs at the
 * earliest) once a driver has it; a link of /dev/disk/by-path and a network interface's predictable
 * name (enp6s0, ens3, eno1) contain the address of the PCI device, with or without a driver. Not
 * considered: further disks of btrfs, ZFS, network configuration files.
 *
 * * In an initramfs no disk exists yet. There the host's devices are known from a list that was
 * made together with the initramfs (boot-devices.h). */
#pragma once

#include "base/cmdline.h"
#include "host/below.h"
#include "host/boot-devices.h"
#include "model/snapshot.h"

/* The names in fstab, crypttab and the kernel command line; read once for many devices. */
struct boot_use {
    struct cmdline words;
    struct boot_disk *disks;
    size_t n, allocated;
    struct boot_devices devices;
};

/* *ret must be empty. Call boot_use_done() in any case. Returns 0, or a negative errno: then any
 * device may be named in what could not be read. */
int boot_use_read(int root_fd, struct boot_use *ret);
void boot_use_done(struct boot_use *b);

/* What the host needs the device for, in words that follow "it": "has root= (UUID=...)", "is in
 * /etc/fstab (/data)", "is named by ip= on the kernel command line". With a root file system on the
 * network and no interface named for it, any network card may be needed. *ret is malloc'ed. NULL
 * means no evidence, but a disk may be named in a way that cannot be resolved yet. `below` is what
 * is below the device; it is empty while the device has no driver. Returns 0 or negative errno. */
int boot_use_of(int root_fd, const struct boot_use *b, const struct device *d,
                const struct below *below, char **ret);
