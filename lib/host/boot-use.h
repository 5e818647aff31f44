/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence that the host is going to use a device, for the time at boot when use cannot be seen
 * yet: what /etc/fstab, /etc/crypttab and the kernel command line name. Takes no device's lock.
 *
 * A disk is found through its node or its links in /dev (made by udev, in the initramfs at the
 * earliest) once a driver has it; a link of /dev/disk/by-path and a network interface's predictable
 * name (enp6s0, ens3, eno1) name the PCI device by themselves, driver or not. Not looked at: btrfs'
 * further disks, ZFS, the network's configuration files.
 *
 * In an initramfs no disk is there yet. There the host's devices are known by what was noted when
 * the initramfs was made (boot-devices.h). */
#pragma once

#include "base/cmdline.h"
#include "host/below.h"
#include "host/boot-devices.h"
#include "model/snapshot.h"

/* What fstab, crypttab and the kernel command line name; read once for many devices. */
struct boot_use {
    struct cmdline words;
    struct boot_disk *disks;
    size_t n, allocated;
    struct boot_devices devices;
};

/* *ret must be empty; boot_use_done() is to be called in any case. Returns 0, or a negative errno:
 * then any device may be named by what could not be read. */
int boot_use_read(int root_fd, struct boot_use *ret);
void boot_use_done(struct boot_use *b);

/* What the host wants the device for, in words that follow "it": "has root= (UUID=...)", "is in
 * /etc/fstab (/data)", "is named by ip= on the kernel command line". With a root file system from
 * the network and no interface named for it, any network card may be needed. *ret is malloc'ed.
 * NULL means no evidence, which proves nothing: a disk may be named in a way that cannot be
 * resolved yet. `below` is what hangs below the device; it is empty while the device has no driver.
 * Returns 0 or negative errno. */
int boot_use_of(int root_fd, const struct boot_use *b, const struct device *d,
                const struct below *below, char **ret);
