/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon reads of the host fails while the test says so, and that it starts processes; its
 * workers and the model of the kernel see as ever. */
#include <ctype.h>

#include "../unit/failing.h"
#include "host.h"

/* Not its own files, sockets and pipes. */
static bool is_of_host(const char *path)
{
    static const char *const folders[] = {"sys/", "proc/", "dev/", "etc/fstab", "etc/crypttab"};

    for (size_t i = 0; i < ELEMENTS(folders); i++)
        if (after_prefix(path, folders[i]))
            return true;
    return isxdigit((unsigned char)path[0]) && strlen(path) > 4 && path[4] == ':';
}

static int failing_call(const char *call, const char *path)
{
    const struct shared *s = host.shared;
    int error = s ? atomic_load(&s->read_error) : 0;

    if (error == 0 || getpid() != atomic_load(&s->daemon))
        return 0;
    if (atomic_load(&s->folders_read) && (!path || streq(path, "sys/bus/pci/devices")))
        return 0;
    return streq(call, "readdir") || (path && is_of_host(path)) ? error : 0;
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
