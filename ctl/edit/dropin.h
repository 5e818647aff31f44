/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drop-ins that "add" writes and "remove" takes away again: one rule in each. */
#pragma once

#include "edit/install.h"
#include "texts.h"

#define DROPIN_FOLDER "/etc/vfio-bindd.conf.d"

/* Its first line: what does not begin with it is somebody else's. */
#define DROPIN_MARK "# Added by vfio-bindctl. To undo it: vfio-bindctl remove "

bool dropin_is_ours(const struct text *t);

/* Looks at the file, which need not exist; its folder is made. Returns as install_open() does. */
int dropin_open(const struct ctl *c, const char *name, struct install *ret);
