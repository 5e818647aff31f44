/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library's calls that read, in place of its own: they ask failing_call() first whether to
 * fail. To be included by one file of a program. */
#pragma once

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* errno with which this call is to fail; 0: it is done. A call has a path, as it was given, or an
 * open file: the path is NULL then, and otherwise the descriptor is -1. */
static int failing_call(const char *call, const char *path, int fd);

#define FAILING_NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define FAILING_ASK(path, fd)                                 \
    do {                                                      \
        int failing_error = failing_call(__func__, path, fd); \
        if (failing_error != 0) {                             \
            errno = failing_error;                            \
            return -1;                                        \
        }                                                     \
    } while (0)

int openat(int fd, const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    FAILING_ASK(path, -1);
    return FAILING_NEXT(openat)(fd, path, flags, mode);
}

/* openat2() has no function of its own. */
long syscall(long number, ...)
{
    long a[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_openat2)
        FAILING_ASK((const char *)a[1], -1);
    return FAILING_NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t readlinkat(int fd, const char *path, char *buf, size_t size)
{
    FAILING_ASK(path, -1);
    return FAILING_NEXT(readlinkat)(fd, path, buf, size);
}

int fstatat(int fd, const char *path, struct stat *ret, int flags)
{
    FAILING_ASK(path, -1);
    return FAILING_NEXT(fstatat)(fd, path, ret, flags);
}

ssize_t read(int fd, void *buf, size_t size)
{
    FAILING_ASK(NULL, fd);
    return FAILING_NEXT(read)(fd, buf, size);
}

ssize_t pread(int fd, void *buf, size_t size, off_t at)
{
    FAILING_ASK(NULL, fd);
    return FAILING_NEXT(pread)(fd, buf, size, at);
}

/* What the same calls are in a build with _FORTIFY_SOURCE, as packages have. The headers give them
 * the names for 64-bit offsets. */
int __openat_2(int fd, const char *path, int flags);
ssize_t __readlinkat_chk(int fd, const char *path, char *buf, size_t size, size_t room);
ssize_t __read_chk(int fd, void *buf, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *buf, size_t size, off_t at, size_t room);

int __openat_2(int fd, const char *path, int flags)
{
    return openat(fd, path, flags);
}

ssize_t __readlinkat_chk(int fd, const char *path, char *buf, size_t size, size_t room)
{
    return readlinkat(fd, path, buf, size < room ? size : room);
}

ssize_t __read_chk(int fd, void *buf, size_t size, size_t room)
{
    return read(fd, buf, size < room ? size : room);
}

ssize_t __pread_chk(int fd, void *buf, size_t size, off_t at, size_t room)
{
    return pread(fd, buf, size < room ? size : room, at);
}

struct dirent *readdir(DIR *dir)
{
    int error = failing_call(__func__, NULL, dirfd(dir));

    if (error != 0) {
        errno = error;
        return NULL;
    }
    return FAILING_NEXT(readdir)(dir);
}
