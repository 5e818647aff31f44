/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls with a part in their path fail, with one errno. */
#pragma once

#include "failing.h"

static struct {
    const char *part; /* NULL: none fails */
    int error;
} failing;

static int failing_call(const char *call, const char *path, int fd)
{
    (void)call;
    (void)fd;
    return failing.part && path && strstr(path, failing.part) ? failing.error : 0;
}
