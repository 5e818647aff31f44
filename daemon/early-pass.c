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
#define FILE_MAX 4096
/* The initramfs' script creates this file before it runs the program. */
#define BEGUN "run/vfio-bindd/early"

static void take_fact(struct early_pass *p, const char *line)
{
    p->there = true;
    if (after_prefix(line, "policy "))
        p->policy = (uint32_t)strtoul(line + strlen("policy "), NULL, 16);
    else if (streq(line, "ended"))
        p->ended = true;
    else if (streq(line, "gave-back"))
        p->gave_back = true;
}

int early_pass_read(int root_fd, struct early_pass *ret)
{
    *ret = (struct early_pass){.there = rootfs_exists(root_fd, BEGUN) > 0};
    CLEANUP_FREE char *text = NULL, *why = NULL;
    char *rest, *line;
    size_t size;
    int r = rootfs_read_trusted(root_fd, "run/vfio-bindd/" FILE_NAME, FILE_MAX, false, &text, &size,
                                &why);

    for (rest = r >= 0 ? text : NULL; (line = strsep(&rest, "\n"));)
        take_fact(ret, line);
    return fact_error(r);
}

int early_pass_write(int root_fd, const struct early_pass *p)
{
    CLEANUP_CLOSE int dir = record_file_folder(root_fd);
    char text[64];

    snprintf(text, sizeof(text), "policy %08x\n%s%s", p->policy, p->ended ? "ended\n" : "",
             p->gave_back ? "gave-back\n" : "");
    return dir < 0 ? dir : replace_file(dir, FILE_NAME, 0600, text, strlen(text));
}
