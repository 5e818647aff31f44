/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <errno.h>

#include "check/lister.h"

#define LONG (60 * 1000000ULL)

START_TEST(names)
{
    static const struct {
        const char *line, *name;
    } lines[] = {
        /* lsinitramfs, lsinitcpio; lsinitrd, which is like ls -l */
        {"usr/lib/modules/6.1.0-9-amd64/kernel/drivers/nvme/host/nvme.ko", "nvme.ko"},
        {"usr/lib/modules/6.1/nvme.ko.xz", "nvme.ko.xz"},
        {"-rw-r--r--   1 root     root        61132 Jan  1  2024 usr/lib/modules/6.1/nvme.ko.xz",
         "nvme.ko.xz"},
        {"-rw-r--r--   1 root     root            0 Jan  1  2024 init", "init"},
        {"init", "init"},
        {".", "."},
        {"usr/", ""},
        {"", ""},
    };

    for (size_t i = 0; i < ELEMENTS(lines); i++)
        ck_assert_str_eq(lister_name(lines[i].line), lines[i].name);
}
END_TEST

static void collect(const char *line, void *data)
{
    FILE *f = data;

    fprintf(f, "%.20s;", line);
}

/* Runs a script as the tool, on a file that holds "a", "b". */
static int run(const char *script, uint64_t timeout_usec, char *ret, size_t size)
{
    CLEANUP(tree_done) struct tree t;
    char path[96];

    tree_init(&t);
    tree_write(&t, "tool", script);
    tree_write(&t, "file", "a\nb\n");
    snprintf(path, sizeof(path), "%s/tool", t.path);
    ck_assert_int_eq(chmod(path, 0755), 0);
    CLEANUP_CLOSE int fd = rootfs_open(t.fd, "file", O_RDONLY);
    CLEANUP(fclosep) FILE *f = fmemopen(ret, size, "w");
    int r = lister_run(path, fd, timeout_usec, collect, f);
    return r;
}

START_TEST(runs)
{
    char text[4096];

    ck_assert_int_eq(run("#!/bin/sh\ncat \"$1\"\n", LONG, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "a;b;");
    /* what it says on standard error is nobody's business; a last line without an end is cut */
    ck_assert_int_eq(run("#!/bin/sh\necho x >&2; echo y; printf z\n", LONG, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "y;");
    /* a line that is too long is left out */
    ck_assert_int_eq(run("#!/bin/sh\nprintf '%05000d\\n' 1; echo y\n", LONG, text, sizeof(text)),
                     0);
    ck_assert_str_eq(text, "y;");
}
END_TEST

START_TEST(fails)
{
    char text[4096];

    ck_assert_int_eq(run("#!/bin/sh\ncat \"$1\"; exit 1\n", LONG, text, sizeof(text)), -EIO);
    ck_assert_int_eq(run("#!/nonexistent\n", LONG, text, sizeof(text)), -ENOENT);
    /* what it started ends with it: else this would take a minute */
    ck_assert_int_eq(run("#!/bin/sh\nsleep 60 & sleep 60\n", 200000, text, sizeof(text)),
                     -ETIMEDOUT);
}
END_TEST

UNIT_MAIN("ctl-lister", names, runs, fails)
