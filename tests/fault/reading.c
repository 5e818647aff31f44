/* SPDX-License-Identifier: GPL-2.0-or-later */
/* While the test says so, the daemon cannot read the host or start processes. Its workers and the
 * model of the kernel can. */
#include <ctype.h>

#include "../unit/failing.h"
#include "host.h"

static bool is_below(const char *path, const char *const *folders)
{
    for (; *folders; folders++)
        if (after_prefix(path, *folders))
            return true;
    return false;
}

/* Is it the name of a file of the host? The daemon's own files, sockets and pipes are not. */
static bool is_name_of_host(const char *path)
{
    static const char *const folders[] = {"sys/",      "proc/",        "dev/",
                                          "etc/fstab", "etc/crypttab", NULL};

    return is_below(path, folders) ||
           (isxdigit((unsigned char)path[0]) && strlen(path) > 4 && path[4] == ':');
}

static bool is_file_of_host(int fd)
{
    static const char *const folders[] = {"/sys/", "/proc/", "/dev/", "/etc/", NULL};
    char name[32], path[256];

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, path, sizeof(path) - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    const char *rest = after_prefix(path, host.path);
    return rest && is_below(rest, folders);
}

/* Does the call fail while this much can be seen? */
static bool is_blind(enum sight sight, const char *call, const char *path, int fd)
{
    if (sight == SIGHT_ALL_BUT_POLICY)
        return path && streq(path, "etc/vfio-bindd.conf");
    if (streq(call, "readdir"))
        return sight == SIGHT_NONE;
    if (fd >= 0)
        return is_file_of_host(fd);
    if (sight == SIGHT_FOLDERS && streq(path, "sys/bus/pci/devices"))
        return false;
    return sight != SIGHT_NAMES && is_name_of_host(path);
}

static int failing_call(const char *call, const char *path, int fd)
{
    const struct shared *s = host.shared;
    int error = s ? atomic_load(&s->read_error) : 0;

    if (error == 0 || getpid() != atomic_load(&s->daemon))
        return 0;
    return is_blind((enum sight)atomic_load(&s->sight), call, path, fd) ? error : 0;
}

pid_t fork(void)
{
    struct shared *s = host.shared;

    if (s && atomic_load(&s->fork_error) != 0 && getpid() == atomic_load(&s->daemon)) {
        atomic_fetch_add(&s->forks, 1);
        errno = atomic_load(&s->fork_error);
        return -1;
    }
    return FAILING_NEXT(fork)();
}
