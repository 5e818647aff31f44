/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/trust.h"

#include <stdio.h>

bool trust_judge(const struct stat *file, const struct stat *root, const char *path,
                 char ret_why[static TRUST_TEXT_MAX])
{
    const mode_t writable = file->st_mode & (S_IWGRP | S_IWOTH);
    const bool group = root->st_mode & S_IWGRP && file->st_gid == root->st_gid;
    const mode_t strangers =
        writable & ~((group ? S_IWGRP : 0) | (root->st_mode & S_IWOTH ? S_IWOTH : 0));
    const bool foreign = file->st_uid != 0 && file->st_uid != root->st_uid;

    if (foreign)
        snprintf(ret_why, TRUST_TEXT_MAX,
                 "belongs to user %u, not to root: run \"chown root:root %s%s%s\"", file->st_uid,
                 path, strangers ? " && chmod go-w " : "", strangers ? path : "");
    else if (strangers)
        snprintf(ret_why, TRUST_TEXT_MAX, "can be written by %s: run \"chmod %s %s\"",
                 strangers & S_IWOTH ? "everybody" : "a group",
                 strangers == S_IWGRP   ? "g-w"
                 : strangers == S_IWOTH ? "o-w"
                                        : "go-w",
                 path);
    return !foreign && !strangers;
}
