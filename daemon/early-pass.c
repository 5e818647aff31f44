/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early-pass.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "record-file.h"
#include "replace.h"

#define FILE_NAME "initramfs"
/* The initramfs' script makes it before it runs the program. */
#define BEGUN "run/vfio-bindd/early"

static int take_fact(void *userdata, char *line)
{
    struct early_pass *p = userdata;

    p->there = true;
    if (after_prefix(line, "policy "))
        p->policy = (uint32_t)strtoul(line + strlen("policy "), NULL, 16);
    else if (streq(line, "ended"))
        p->ended = true;
    else if (streq(line, "gave-back"))
        p->gave_back = true;
    return 0;
}

int early_pass_read(int root_fd, struct early_pass *ret)
{
    *ret = (struct early_pass){.there = rootfs_exists(root_fd, BEGUN) > 0};
    return fact_error(rootfs_each_line(root_fd, "run/vfio-bindd/" FILE_NAME, take_fact, ret));
}

int early_pass_write(int root_fd, const struct early_pass *p)
{
    CLEANUP_CLOSE int dir = record_file_folder(root_fd);
    char text[64];

    snprintf(text, sizeof(text), "policy %08x\n%s%s", p->policy, p->ended ? "ended\n" : "",
             p->gave_back ? "gave-back\n" : "");
    return dir < 0 ? dir : replace_file(dir, FILE_NAME, 0600, text, strlen(text));
}
