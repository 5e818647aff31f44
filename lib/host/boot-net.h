/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel command line wants of network cards: the part of boot-use.h about them. */
#pragma once

#include "host/below.h"
#include "model/snapshot.h"

/* The words of the kernel command line. */
struct cmdline {
    char **v;
    size_t n, allocated;
    char *text; /* what they point into */
};

/* As boot_use_of(). */
int boot_net_use(int root_fd, const struct device *d, const struct below *below,
                 const struct cmdline *words, char **ret);
