/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For LD_PRELOAD: stands in for the kernel in a tree of make-tree. What is written to a driver's
 * "bind" gets its driver link and its group's node. It uses two system calls for that which
 * vfio-bindd never uses, so that they can be told from its own: symlinkat() and mknodat().
 * And openat2(), which Debian 12's valgrind does not know, becomes an openat(); the tree has no
 * links that lead out of it. */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int root_fd = -1, bind_fd = -1;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

long syscall(long n, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list ap;

    va_start(ap, n);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (n != SYS_openat2) {
        if (!real)
            *(void **)&real = next("syscall");
        return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    const char *path = (const char *)a[1];
    int fd = openat((int)a[0], path, (int)((const struct open_how *)a[2])->flags);
    if (fd >= 0 && ends_with(path, "/bind")) {
        root_fd = (int)a[0];
        bind_fd = fd;
    }
    return fd;
}

static void bind_device(const char *text, size_t size)
{
    unsigned domain, bus, dev, fn;
    char address[32], path[128];

    snprintf(address, sizeof(address), "%.*s", (int)size, text);
    if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4)
        return;
    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", address);
    syscall(SYS_symlinkat, "../../../bus/pci/drivers/vfio-pci", root_fd, path);
    snprintf(path, sizeof(path), "dev/vfio/%u", domain << 16 | bus << 8 | dev << 3 | fn);
    syscall(SYS_mknodat, root_fd, path, S_IFREG | 0600, 0);
}

ssize_t write(int fd, const void *buf, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);

    if (!real)
        *(void **)&real = next("write");
    ssize_t n = real(fd, buf, size);
    if (fd == bind_fd && n > 0)
        bind_device(buf, (size_t)n);
    return n;
}

/* With 64-bit file offsets, as both sides are built, its name is pwrite64. */
ssize_t pwrite(int fd, const void *buf, size_t size, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);

    if (!real)
        *(void **)&real = next("pwrite64");
    ssize_t n = real(fd, buf, size, at);
    if (fd == bind_fd && n > 0)
        bind_device(buf, (size_t)n);
    return n;
}

int close(int fd)
{
    static int (*real)(int);

    if (!real)
        *(void **)&real = next("close");
    if (fd == bind_fd)
        bind_fd = -1;
    return real(fd);
}
