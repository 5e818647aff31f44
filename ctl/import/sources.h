/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the old ways, each of which looks at its files. Of two that claim the same device the
 * earlier one is believed, so they are asked in the order in which they have the last word: what
 * acts last at boot comes first. */
#pragma once

#include "import/found.h"

void import_driverctl(struct found *f); /* /etc/driverctl.d */
void import_dpdk(struct found *f); /* Debian's /etc/dpdk/interfaces; services that call its tools */
void import_udev(struct found *f); /* rules that write driver_override */
void import_cmdline(struct found *f);   /* vfio-pci.ids= here and in the boot loader's files */
void import_modprobe(struct found *f);  /* modprobe.d; initramfs-tools */
void import_harvester(struct found *f); /* /oem, and what stands in the cluster */
void import_proxmox(struct found *f);   /* virtual machines in /etc/pve */
void import_libvirt(struct found *f);   /* domains and networks in /etc/libvirt/qemu */

/* All of them. */
void import_sources(struct found *f);

/* A line of a file of another kind that holds one of the above: an udev rule, an options line, a
 * kernel parameter. They return whether it was one, and all that it means is claimed. */
bool import_udev_line(struct found *f, const char *path, unsigned line, char *text);
bool import_options_line(struct found *f, const char *path, unsigned line, const char *text);
