/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence that the host itself is using a device of any class, from what is below it (below.h):
 * file systems, swap space and stacked block devices on its disks, network interfaces that are up,
 * keyboards of the console, serial consoles. Read from /proc and /sys; takes no device lock. */
#pragma once

#include <stdbool.h>

#include "host/below.h"

/* What the host uses on any device; read once for many devices. */
struct host_use {
    struct used_block *v; /* with a file system or swap on it */
    size_t n, allocated;
    char **members; /* names of the disks of mounted btrfs file systems, which may span several */
    size_t n_members, members_allocated;
    char consoles[256]; /* "tty0 ttyS0" */
};

/* *ret must be empty. Call host_use_done() in any case. Returns 0, or a negative errno; after an
 * error, a device without a known use may still be in use. */
int host_use_read(int root_fd, struct host_use *ret);
void host_use_done(struct host_use *h);

/* How the host uses a device, as words that follow "it": "has the file system mounted on /". *ret
 * is malloc'ed; NULL: no evidence. Returns 0 or -ENOMEM. */
int use_of(const struct host_use *h, const struct below *b, char **ret);
