/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs below a PCI device: one walk along its folder in /sys finds its disks and what is
 * stacked on them, network interfaces, keyboards, consoles, and every other device that has a node.
 * Who asks how the host uses a device, or who has it open, asks this first. Takes no device's lock.
 *
 * A bridge's children are not its own; but below an Intel VMD and a USB controller everything is.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/address.h"

enum below_kind {
    BELOW_NODE,      /* a character device of any other kind */
    BELOW_BLOCK,     /* a disk, a partition, an NVMe multipath disk */
    BELOW_STACKED,   /* a block device on one of those: device mapper, md, bcache */
    BELOW_TTY,       /* a serial port */
    BELOW_INTERFACE, /* of the network; without a number */
    BELOW_HIDDEN,    /* one that another network namespace has: neither name nor number */
    BELOW_KEYBOARD,  /* without a number */
    BELOW_GROUP,     /* an IOMMU group, by its name: of the device, or of mediated ones */
};

struct below_item {
    enum below_kind kind;
    dev_t number;
    bool up, enslaved;       /* BELOW_INTERFACE: it is up; it is part of a bridge or bond */
    char mac[64];            /* likewise; InfiniBand's have 59 characters */
    char name[NAME_MAX + 1]; /* as the kernel has it; "!" stands for "/" */
};

struct below {
    struct below_item *v;
    size_t n, allocated;
};

void below_done(struct below *b);

/* Finds what hangs below the device; *ret must be empty. Returns 0 or negative errno (-E2BIG: more
 * folders, layers or devices than any device has); after an error *ret has what was found until
 * then, and there may be more. */
int below_walk(int root_fd, struct pci_addr a, struct below *ret);

/* Reads a device number ("8:0") from a file below a folder. Returns 0 or negative errno; -EINVAL:
 * it holds something else. */
int below_read_number(int fd, const char *path, dev_t *ret);

/* The block device with this name, or NULL. */
const struct below_item *below_block(const struct below *b, const char *name);
