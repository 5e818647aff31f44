/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host was told at boot, as words of the kernel command line: root=, ip=, rd.luks.uuid=.
 * In an initramfs its own files say more: dracut takes etc/cmdline and etc/cmdline.d/ for parts of
 * the command line; initramfs-tools has variables in conf/. */
#pragma once

#include <stdbool.h>

#include "base/cmdline.h"

/* Reads them below the root. Call cmdline_done() even on failure. Returns 0 or negative errno; a
 * file that is gone says nothing. */
int boot_words_read(int root_fd, bool in_initramfs, struct cmdline *ret);
