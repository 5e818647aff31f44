/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pass in the initramfs leaves for the daemon, in /run/vfio-bindd/initramfs: whether it
 * came to its end, and by which policy. What it did is in the records (record-file.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct early_pass {
    bool there;      /* the initramfs had vfio-bindd, and began the pass */
    bool ended;      /* the pass was over before its deadline */
    bool gave_back;  /* the root file system did not appear, so devices were handed back */
    uint32_t policy; /* struct policy's digest; 0: it did not come so far */
};

/* Returns 0 (also where there was no such pass) or negative errno. */
int early_pass_read(int root_fd, struct early_pass *ret);

/* Returns 0 or negative errno. */
int early_pass_write(int root_fd, const struct early_pass *p);
