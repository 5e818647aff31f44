/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pass in the initramfs tells the daemon, in /run/vfio-bindd/initramfs: whether it was
 * finished, and with which policy. Its effects on devices are in the records (record-file.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct early_pass {
    bool there;      /* the initramfs contained vfio-bindd, and the pass was begun */
    bool ended;      /* the pass was finished before its deadline */
    bool gave_back;  /* the root file system did not appear, so devices were handed back */
    uint32_t policy; /* struct policy's digest; 0: the pass was not far enough to know it */
};

/* Returns 0 (also if there was no such pass) or negative errno. */
int early_pass_read(int root_fd, struct early_pass *ret);

/* Returns 0 or negative errno. */
int early_pass_write(int root_fd, const struct early_pass *p);
