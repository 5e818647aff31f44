/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is below a PCI device: one walk of its folder in /sys finds its disks and the block devices
 * on top of them, network interfaces, keyboards, consoles, and every other device that has a node.
 * The code that finds out how the host uses a device (use.h, boot-use.h) and which processes have
 * it open (nodes.h) begins with this walk. Takes no device lock.
 *
 * * PCI devices below a bridge do not belong to the bridge; everything below an Intel VMD or a USB
 * controller belongs to it. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/address.h"

enum below_kind {
    BELOW_NODE,      /* any other character device */
    BELOW_BLOCK,     /* a disk, a partition, an NVMe multipath disk */
    BELOW_STACKED,   /* a block device on top of one of those: device mapper, md, bcache */
    BELOW_TTY,       /* a serial port */
    BELOW_INTERFACE, /* a network interface; has no number */
    BELOW_HIDDEN,   /* an interface in another network namespace; its name and number are unknown */
    BELOW_KEYBOARD, /* a keyboard; has no number */
    BELOW_GROUP,    /* an IOMMU group, by name: that of the device or of a mediated device */
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

/* Finds what is below the device; *ret must be empty. Returns 0 or negative errno (-E2BIG: more
 * folders, layers or devices than any real device has). After an error *ret has what was found so
 * far, and there may be more. */
int below_walk(int root_fd, struct pci_addr a, struct below *ret);

/* Reads a device number ("8:0") from a file below a folder. Returns 0 or negative errno; -EINVAL:
 * not a device number. */
int below_read_number(int fd, const char *path, dev_t *ret);

/* The block device with this name, or NULL. */
const struct below_item *below_block(const struct below *b, const char *name);
