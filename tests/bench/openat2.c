/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For LD_PRELOAD under valgrind, whose Debian 12 version does not know openat2(): an openat() in its
 * place. The made-up trees have no links that lead out of them. */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long n, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list ap;

    va_start(ap, n);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (n == SYS_openat2)
        return openat((int)a[0], (const char *)a[1], (int)((const struct open_how *)a[2])->flags);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
