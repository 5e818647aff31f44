/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fact.h"
#include "base/trust.h"
#include "base/util.h"

/* Links must not lead out of this directory; -1: the root is "/". For "/" a plain openat() is
 * enough, and openat2() would not work: in a unit with RestrictSUIDSGID= the seccomp filter, which
 * cannot inspect its arguments, makes it fail with ENOSYS. */
static int confined_fd = -1;

int rootfs_open_root(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (!streq(path, "/"))
        confined_fd = fd;
    return fd;
}

static int confined_open(int at, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC, .resolve = resolve};
    long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

static int plain_open(int at, const char *path, int flags)
{
    int fd = openat(at, path, flags | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int rootfs_open(int root_fd, const char *path, int flags)
{
    return root_fd == confined_fd ? confined_open(root_fd, path, flags, RESOLVE_IN_ROOT)
                                  : plain_open(root_fd, path, flags);
}

int rootfs_open_dir(int root_fd, const char *path, DIR **ret)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY | O_DIRECTORY);

    *ret = fd < 0 ? NULL : fdopendir(fd);
    if (!*ret)
        return fd < 0 ? fd : -errno;
    (void)take_fd(&fd); /* fdopendir() owns it now */
    return 0;
}

int rootfs_list(int root_fd, const char *path, DIR **ret)
{
    return fact_error(rootfs_open_dir(root_fd, path, ret));
}

int rootfs_next(DIR *dir, const struct dirent **ret)
{
    do {
        errno = 0;
        *ret = dir ? readdir(dir) : NULL;
    } while (*ret && (*ret)->d_name[0] == '.');
    return *ret ? 1 : -errno;
}

int rootfs_exists(int fd, const char *path)
{
    struct stat st;

    /* Not access(): even for F_OK the kernel asks the cgroup's device policy, which does not
     * contain /dev/vfio if vfio was loaded after the service had started (EPERM; lab: no-vfio). */
    if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return fact_error(-errno);
}

int rootfs_link_name(int fd, const char *path, char buf[static NAME_MAX + 1])
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(fd, path, target, sizeof(target) - 1);

    if (n < 0)
        return fact_error(-errno);
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    const char *last = slash ? slash + 1 : target;
    if (!*last || strlen(last) > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(buf, last, strlen(last) + 1);
    return 1;
}

int rootfs_is_mask(int root_fd, const char *path)
{
    char target[sizeof("/dev/null")];
    ssize_t n = readlinkat(root_fd, path, target, sizeof(target));

    if (n < 0)
        return errno == EINVAL ? 0 : fact_error(-errno); /* EINVAL: not a link */
    return n == sizeof(target) - 1 && memcmp(target, "/dev/null", (size_t)n) == 0;
}

int rootfs_read_line(int root_fd, const char *path, char *buf, size_t size)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return fd;

    ssize_t n = read(fd, buf, size);
    if (n < 0)
        return -errno;
    if ((size_t)n == size)
        return -E2BIG;
    while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\0'))
        n--;
    buf[n] = '\0';
    return (int)n;
}

#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)

static int read_open_file(int fd, size_t max, char **ret, size_t *ret_size)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;

    /* The size from stat() is 0 for files in /proc, and wrong for files in /sys. One byte more than
     * `max` is read, to detect a file that is too long. */
    CLEANUP_FREE char *buf = NULL;
    size_t used = 0, room = 0;
    ssize_t n = 1;
    for (; n > 0 && used <= max; used += (size_t)n) {
        if (used == room) {
            room = room == 0 ? (st.st_size > 4095 ? (size_t)st.st_size + 1 : 4096) : 2 * room;
            if (room > max + 1)
                room = max + 1;
            char *longer = realloc(buf, room + 1);
            if (!longer)
                return -ENOMEM;
            buf = longer;
        }
        n = read(fd, buf + used, room - used);
        if (n < 0)
            return -errno;
    }
    if (used > max)
        return -EFBIG;
    buf[used] = '\0';
    *ret = buf;
    *ret_size = used;
    buf = NULL;
    return 0;
}

int rootfs_read_file(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, OPEN_FILE);

    return fd < 0 ? fd : read_open_file(fd, max, ret, ret_size);
}

int rootfs_read_no_link(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_size)
{
    CLEANUP_CLOSE int fd = plain_open(dir_fd, name, OPEN_FILE | O_NOFOLLOW);

    return fd < 0 ? fd : read_open_file(fd, max, ret, ret_size);
}

/* Opens one component after the other. openat2() with RESOLVE_NO_SYMLINKS would do it in one call,
 * but a unit with RestrictSUIDSGID= has no openat2(). O_PATH with O_NOFOLLOW opens a link itself,
 * and O_DIRECTORY makes that ENOTDIR. */
int rootfs_open_no_links(const char *path)
{
    CLEANUP_FREE char *copy = strdup(path);
    char *rest = copy, *part;

    if (!copy)
        return -ENOMEM;
    if (*path != '/')
        return -EINVAL;
    CLEANUP_CLOSE int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0 && (part = strsep(&rest, "/"))) {
        struct stat st;
        if (!*part || streq(part, "."))
            continue;
        if (streq(part, ".."))
            return -EINVAL;
        int next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && errno == ENOTDIR && fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(st.st_mode))
            return -ELOOP;
        if (next < 0)
            return -errno;
        close(at);
        at = next;
    }
    return at < 0 ? -errno : take_fd(&at);
}

/* The path of an open file, whichever links led to it. */
static int real_path(int fd, char ret[static PATH_MAX])
{
    char link[32];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, ret, PATH_MAX - 1);
    if (n < 0)
        return -errno;
    ret[n] = '\0';
    return 0;
}

/* The same below the root, without a leading slash. Without /proc it is the given path. */
static int path_below(int root_fd, int fd, const char *given, char ret[static PATH_MAX])
{
    char top[PATH_MAX], path[PATH_MAX];
    int r = real_path(root_fd, top);

    if (r == 0)
        r = real_path(fd, path);
    if (r == -ENOENT)
        return snprintf(ret, PATH_MAX, "%s", given + 1) < PATH_MAX ? 0 : -ENAMETOOLONG;
    if (r < 0)
        return r;
    const size_t n = streq(top, "/") ? 0 : strlen(top);
    if (strncmp(path, top, n) != 0 || path[n] != '/')
        return -EXDEV;
    memcpy(ret, path + n + 1, strlen(path + n));
    return 0;
}

/* Whoever can write to a folder above the file can have another file in its place. A sticky folder
 * keeps others from what belongs to root. Returns as rootfs_is_trusted() does. */
static int judge_folders(int root_fd, int fd, const char *given, const struct stat *root,
                         char **ret_why)
{
    char path[PATH_MAX], absolute[PATH_MAX + 1], why[TRUST_TEXT_MAX];
    int r = path_below(root_fd, fd, given, path);

    for (char *end = path; r == 0 && (end = strchr(end, '/')); *end++ = '/') {
        struct stat folder;
        *end = '\0';
        if (fstatat(root_fd, path, &folder, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT ? -EIO : -errno; /* it has just been moved */
        if (folder.st_mode & S_ISVTX)
            folder.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
        snprintf(absolute, sizeof(absolute), "/%s", path);
        if (!trust_judge(&folder, root, absolute, why))
            return asprintf(ret_why, "is below %s, which %s", absolute, why) < 0 ? -ENOMEM : 0;
    }
    return r < 0 ? r : 1;
}

int rootfs_is_trusted(int root_fd, int fd, const char *path, char **ret_why)
{
    struct stat file, root;
    char why[TRUST_TEXT_MAX];

    if (fstat(fd, &file) < 0 || fstat(root_fd, &root) < 0)
        return -errno;
    if (trust_judge(&file, &root, path, why))
        return judge_folders(root_fd, fd, path, &root, ret_why);
    *ret_why = strdup(why);
    return *ret_why ? 0 : -ENOMEM;
}

int rootfs_read_trusted(int root_fd, const char *path, size_t max, bool anyway, char **ret,
                        size_t *ret_size, char **ret_why)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, OPEN_FILE);
    CLEANUP_FREE char *why = NULL, *absolute = NULL;

    if (fd < 0)
        return fd;
    if (asprintf(&absolute, "/%s", path) < 0) {
        absolute = NULL;
        return -ENOMEM;
    }
    int r = rootfs_is_trusted(root_fd, fd, absolute, &why);
    if (r > 0 || (r == 0 && anyway))
        r = read_open_file(fd, max, ret, ret_size);
    else if (r == 0)
        r = -EPERM;
    if (r == 0 || r == -EPERM) {
        *ret_why = why;
        why = NULL;
    }
    return r;
}

/* A line may be longer than any fixed buffer: the line of an overlay mount names all of its
 * layers. */
int rootfs_each_line(int root_fd, const char *path, rootfs_take_line *take, void *userdata)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    CLEANUP_FREE char *buf = NULL;
    size_t used = 0, room = 0;
    int r = fd < 0 ? fd : 0;

    while (r == 0) {
        if (used + 1 >= room) {
            char *longer = realloc(buf, room = room ? 2 * room : 16384);
            if (!longer)
                return -ENOMEM;
            buf = longer;
        }
        ssize_t n = read(fd, buf + used, room - used - 1);
        if (n < 0)
            return -errno;
        char *line = buf, *end;
        used += (size_t)n;
        buf[used] = '\0';
        for (; r == 0 && (end = memchr(line, '\n', used - (size_t)(line - buf))); line = end + 1) {
            *end = '\0';
            r = take(userdata, line);
        }
        used -= (size_t)(line - buf);
        if (n == 0) /* the last line may have no newline */
            return r == 0 && used > 0 ? take(userdata, line) : r;
        memmove(buf, line, used);
    }
    return r;
}
