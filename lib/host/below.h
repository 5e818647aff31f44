/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs below a PCI device: one walk along its folder in /sys finds its disks and what is
 * stacked on them, network interfaces, keyboards, consoles, and every other device that has a node.
 * What tells how the host uses a device (use.h, boot-use.h) and who has it open (nodes.h) begins
 * with this walk. Takes no device's lock.
 *
 * PCI devices below a bridge do not count as its own; but everything below an Intel VMD or a USB
 * controller does. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/address.h"

enum below_kind {
    BELOW_NODE,      /* any other character device */
    BELOW_BLOCK,     /* a disk, a partition, an NVMe multipath disk */
    BELOW_STACKED,   /* a block device on one of those: device mapper, md, bcache */
    BELOW_TTY,       /* a serial port */
    BELOW_INTERFACE, /* a network interface; has no number */
    BELOW_HIDDEN,    /* an interface in another network namespace; has neither name nor number */
    BELOW_KEYBOARD,  /* a keyboard; has no number */
    BELOW_GROUP,     /* an IOMMU group, by its name: the device's or a mediated device's */
};

struct below_item {
    enum below_kind kind;
    dev_t number;
    bool up, enslaved;       /* BELOW_INTERFACE: it is up; it is part of a bridge or bond */
    char mac[64];            /* BELOW_INTERFACE; InfiniBand's have 59 characters */
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
