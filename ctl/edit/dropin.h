/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drop-ins that "add" writes and "remove" removes. Each contains one rule. */
#pragma once

#include "edit/install.h"
#include "texts.h"

#define DROPIN_FOLDER "/etc/vfio-bindd.conf.d"

/* Their first line. A file that does not begin with it belongs to somebody else. */
#define DROPIN_MARK "# Added by vfio-bindctl. To undo it: vfio-bindctl remove "

bool dropin_is_ours(const struct text *t);

/* Opens the file, which need not exist; its folder is created. Returns the results of
 * install_open(). */
int dropin_open(const struct ctl *c, const char *name, struct install *ret);
