/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which network cards the kernel command line needs: a part of boot-use. */
#pragma once

#include "base/cmdline.h"
#include "host/below.h"
#include "model/snapshot.h"

/* Like boot_use_of(). */
int boot_net_use(int root_fd, const struct device *d, const struct below *below,
                 const struct cmdline *words, char **ret);
