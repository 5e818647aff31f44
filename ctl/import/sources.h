/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: the other tools. Each function reads the files of one of them. If two tools claim the
 * same device, the first claim counts, so the functions are called in order of precedence: the tool
 * that acts last at boot comes first. */
#pragma once

#include "import/found.h"

void import_driverctl(struct found *f); /* /etc/driverctl.d */
void import_dpdk(struct found *f);      /* /etc/dpdk/interfaces; services with DPDK's tools */
void import_udev(struct found *f);      /* rules that write driver_override */
void import_cmdline(struct found *f);   /* vfio-pci.ids=, there and in the boot loader's files */
void import_modprobe(struct found *f);  /* modprobe.d; initramfs-tools */
void import_harvester(struct found *f); /* /oem; a remark about the cluster */
void import_proxmox(struct found *f);   /* virtual machines in /etc/pve */
void import_libvirt(struct found *f);   /* domains and networks in /etc/libvirt/qemu */

/* All of them. */
void import_sources(struct found *f);

/* A line in a file of another kind that contains one of the above: a udev rule, an options line, a
 * kernel parameter. Return whether it did, and everything it means was claimed. */
bool import_udev_line(struct found *f, const char *path, unsigned line, char *text);
bool import_options_line(struct found *f, const char *path, unsigned line, const char *text);
