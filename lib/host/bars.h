/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detects whether the firmware's framebuffer still claims part of a device's memory. A BAR with a
 * framebuffer's entry inside cannot be reserved: binding to vfio-pci succeeds, and QEMU fails later
 * ("can't reserve"). From 6.0 on vfio-pci removes such framebuffers itself, but only for the
 * devices of class 0300. Reads nothing that takes a device's lock, and needs no privilege: without
 * CAP_SYS_ADMIN the addresses in /proc/iomem are zeros, but the nesting and the names are
 * sufficient. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/address.h"

struct bar_claim {
    struct pci_addr addr;
    char *claimant;
};

struct bars {
    char *framebuffer; /* the platform device of the firmware's framebuffer; NULL: there is none */
    bool seen;         /* /proc/iomem could be read */
    struct bar_claim *v; /* the claims that it shows */
    size_t n, allocated;
    bool no_memory;
};

/* Reads what is common to all devices; call bars_done() in any case. On a host without a firmware
 * framebuffer this reads one folder. Returns 0 or negative errno. */
int bars_read(int root_fd, struct bars *ret);
void bars_done(struct bars *b);

/* What claims a BAR of this device: the entries of /proc/iomem as the kernel names them, for
 * example "BOOTFB, simpledrm", "efifb" or "vesafb"; where that file cannot be read, the
 * framebuffer's platform device, "simple-framebuffer.0". *ret is malloc'ed; NULL: no claim is
 * visible. Returns 0 or negative errno. */
int bars_claimant(int root_fd, const struct bars *b, struct pci_addr a, char **ret);

/* Can /proc/iomem be read? If not, bars_claimant() relies on weaker evidence. */
bool bars_visible(int root_fd);
