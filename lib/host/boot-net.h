/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which network cards the kernel command line needs. Part of boot-use. */
#pragma once

#include "base/cmdline.h"
#include "host/below.h"
#include "host/boot-devices.h"
#include "model/snapshot.h"

/* Like boot_use_of(). */
int boot_net_use(int root_fd, const struct device *d, const struct below *below,
                 const struct cmdline *words, char **ret);

/* Does the value of root= name a root file system on the network ("nfs:…", "/dev/nfs",
 * "iscsi:…")? */
bool boot_net_is_root(const char *value);

/* In an initramfs: notes which interfaces the kernel command line needs. Returns 0 or -ENOMEM. */
int boot_net_need(const struct cmdline *words, struct boot_devices *b);
