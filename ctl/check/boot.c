/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/boot.h"

#include "loader.h"

static void add_to_remedy(void *userdata, const char *line)
{
    check_remedy(userdata, "%s", line);
}

static struct loader_to remedy_of(struct check *c)
{
    return (struct loader_to){&c->tree, c->release, add_to_remedy, c};
}

void check_add_parameter(struct check *c, const char *parameter)
{
    struct loader_to to = remedy_of(c);

    loader_add_parameter(&to, parameter);
}

void check_remove_parameter(struct check *c, const char *parameter)
{
    struct loader_to to = remedy_of(c);

    loader_remove_parameter(&to, parameter);
}

void check_rebuild_initramfs(struct check *c)
{
    struct loader_to to = remedy_of(c);

    loader_rebuild_initramfs(&to);
}

bool check_is_system(struct check *c, const char *id)
{
    return loader_is_system(&c->tree, id);
}
