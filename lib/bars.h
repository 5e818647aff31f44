/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the firmware's framebuffer still claim part of a device's memory? A BAR with a framebuffer's
 * entry inside cannot be reserved: binding to vfio-pci succeeds, and QEMU fails later ("can't
 * reserve"). From 6.0 on vfio-pci removes such framebuffers itself, but only for the devices of
 * class 0300. Reads nothing that takes a device's lock, and needs no rights: without CAP_SYS_ADMIN
 * /proc/iomem has zeros for addresses, but its nesting and names tell enough. */
#pragma once

#include <stdbool.h>

#include "pciaddr.h"

/* Who claims a BAR of this device: the entries of /proc/iomem as the kernel names them, for example
 * "BOOTFB, simpledrm", "efifb" or "vesafb"; where that file cannot be read, the framebuffer's
 * platform device, "simple-framebuffer.0". malloc'ed. NULL: nobody that can be seen, or out of
 * memory. On a host without firmware framebuffer this costs one look into a folder. */
char *bars_claimant(int root_fd, struct pci_addr a);

/* Is there a framebuffer of the firmware at all? If not, nobody claims anything. */
bool bars_any(int root_fd);

/* Can /proc/iomem be read? If not, bars_claimant() goes by weaker evidence. */
bool bars_visible(int root_fd);
