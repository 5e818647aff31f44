/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/dropin.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

bool dropin_is_ours(const struct text *t)
{
    return after_prefix(t->name, DROPIN_FOLDER "/") && t->size >= strlen(DROPIN_MARK) &&
           memcmp(t->bytes, DROPIN_MARK, strlen(DROPIN_MARK)) == 0;
}

int dropin_open(const struct ctl *c, const char *name, struct install *ret)
{
    char folder[PATH_MAX];
    int r = install_open(c->root ? c->root : "/", name, ret);

    if (r != -ENOENT)
        return r;
    if (snprintf(folder, sizeof(folder), "%s" DROPIN_FOLDER, c->root ? c->root : "") >=
        (int)sizeof(folder))
        return -ENAMETOOLONG;
    if (mkdir(folder, 0755) < 0)
        return -errno;
    return install_open(c->root ? c->root : "/", name, ret);
}
