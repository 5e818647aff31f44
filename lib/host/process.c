/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/process.h"

#include "base/rootfs.h"
#include "base/util.h"
#include <errno.h>

int process_read(int root_fd, pid_t pid, struct process *ret)
{
    char path[32], text[512];

    snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
    int r = rootfs_read_line(root_fd, path, text, sizeof(text));
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    const char *after_name = strrchr(text, ')'); /* the name may contain blanks and parentheses */
    if (!after_name || sscanf(after_name,
                              ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                              "%*d %*d %*d %llu",
                              &ret->parent, &ret->start) != 2)
        return -EIO;
    return 0;
}

static bool ends_with(const char *s, size_t n, const char *suffix)
{
    size_t m = strlen(suffix);

    return n > m && strncmp(s + n - m, suffix, m) == 0;
}

/* What the name of a unit is made of. Users make folders of any name below their own units. */
#define UNIT_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@"

/* The first part of the path that is a unit's name; the part after it is in *ret_rest. NULL: none
 * is. */
static const char *next_unit(const char *path, size_t *ret_length, const char **ret_rest)
{
    for (const char *part = path, *end; *part; part = *end ? end + 1 : end) {
        end = part + strcspn(part, "/");
        size_t n = (size_t)(end - part);
        if (after_prefix(part, "kubepods/"))
            n = strspn(part, UNIT_CHARACTERS "/");
        else if (strspn(part, UNIT_CHARACTERS) != n ||
                 (!ends_with(part, n, ".scope") && !ends_with(part, n, ".service")))
            continue;
        if (*part == '_') /* systemd prefixes names that the kernel might use */
            part++, n--;
        *ret_length = n;
        *ret_rest = end;
        return part;
    }
    return NULL;
}

/* Finds the unit in a path of /proc/PID/cgroup: the outermost, since whoever runs in it may choose
 * the names of those below. A unit of a user's service manager comes after that manager's. For pods
 * without systemd's names it is everything from "kubepods" on. */
static void unit_of_path(const char *path, char unit[static PROCESS_UNIT_MAX])
{
    const char *rest, *inner;
    size_t n, m = 0;
    const char *outer = next_unit(path, &n, &rest);

    if (!outer || n >= PROCESS_UNIT_MAX)
        return;
    inner = after_prefix(outer, "user@") ? next_unit(rest, &m, &rest) : NULL;
    if (n + m + 1 >= PROCESS_UNIT_MAX)
        inner = NULL;
    snprintf(unit, PROCESS_UNIT_MAX, "%.*s%s%.*s", (int)n, outer, inner ? "/" : "", (int)m,
             inner ? inner : "");
}

int process_unit(int root_fd, pid_t pid, char ret[static PROCESS_UNIT_MAX])
{
    CLEANUP_FREE char *text = NULL;
    char path[64], *rest, *line;
    size_t size;

    ret[0] = '\0';
    snprintf(path, sizeof(path), "proc/%d/cgroup", (int)pid);
    int r = rootfs_read_file(root_fd, path, 1 << 16, &text, &size);
    if (r < 0)
        return r;
    for (rest = text; (line = strsep(&rest, "\n")) && !*ret;) {
        const char *unified = after_prefix(line, "0::"), *v1 = strstr(line, ":name=systemd:");
        if (unified || v1)
            unit_of_path(unified ? unified : v1 + strlen(":name=systemd:"), ret);
    }
    return 0;
}

int process_is_of_user(int root_fd, pid_t pid, uint32_t uid)
{
    CLEANUP_FREE char *text = NULL;
    unsigned real, effective;
    char path[64];
    size_t size;

    snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
    int r = rootfs_read_file(root_fd, path, 1 << 16, &text, &size);
    if (r < 0)
        return r;
    const char *at = strstr(text, "\nUid:");
    if (!at || sscanf(at, "\nUid: %u %u", &real, &effective) != 2)
        return -EIO;
    return real == uid || effective == uid;
}
