/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot configuration, as words of the kernel command line: root=, ip=, rd.luks.uuid=. An
 * initramfs has further files: dracut treats etc/cmdline and etc/cmdline.d/ as parts of the command
 * line; initramfs-tools has variables in conf/. */
#pragma once

#include <stdbool.h>

#include "base/cmdline.h"

/* Reads them below the root. Call cmdline_done() even on failure. Returns 0 or negative errno; a
 * missing file is not an error. */
int boot_words_read(int root_fd, bool in_initramfs, struct cmdline *ret);
