/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/publish.h"

#include <errno.h>
#include <fcntl.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "offer/kubelet.h"
#include "offer/node-features.h"
#include "replace.h"

#define SOURCE_MAX (16 * 1024 * 1024)

/* A source that changes while it is copied is copied again, since systemd may not have been
 * watching it. It changes at most once a second. */
#define TRIES 5

static int failed(const char *what, const char *path, int error)
{
    fprintf(stderr, "vfio-bindd: cannot %s %s: %s\n", what, path,
            error == -ELOOP ? "a part of this path is a symbolic link, which is not followed: "
                              "write the path that it leads to"
                            : strerror(-error));
    return error;
}

static bool is_same(const char *a, size_t a_size, const char *b, size_t b_size)
{
    return (!a && !b) || (a && b && a_size == b_size && memcmp(a, b, a_size) == 0);
}

/* Opens the folder of a path; *ret_name is the name in it. */
static int open_folder(const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');

    if (!slash || !slash[1])
        return -EINVAL;
    CLEANUP_FREE char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!folder)
        return -ENOMEM;
    *ret_name = slash + 1;
    return rootfs_open_no_links(folder);
}

/* Reads the source; *ret is NULL if there is none. */
static int read_source(const char *source, char **ret, size_t *ret_size)
{
    const char *name;
    CLEANUP_CLOSE int dir = open_folder(source, &name);
    int r = dir < 0 ? dir : rootfs_read_no_link(dir, name, SOURCE_MAX, ret, ret_size);

    return r == -ENOENT ? 0 : r;
}

/* Replaces the target with this text; NULL removes it. */
static int write_target(const char *target, const char *text, size_t size)
{
    const char *name;
    CLEANUP_CLOSE int dir = open_folder(target, &name);

    if (dir == -ENOENT || dir == -ENOTDIR) {
        if (text)
            printf("%s is not written: there is no such folder\n", target);
        return 0;
    }
    if (dir < 0)
        return failed("open the folder of", target, dir);
    if (text) {
        int r = replace_file(dir, name, 0644, text, size);
        return r < 0 ? failed("write", target, r) : 0;
    }
    if (unlinkat(dir, name, 0) < 0)
        return errno == ENOENT ? 0 : failed("remove", target, -errno);
    printf("%s is removed\n", target);
    return 0;
}

/* Appends kubelet's counts to the metrics; *ret stays NULL if there is nothing to append. */
static int add_counts(const char *text, size_t size, const char *checkpoint, char **ret,
                      size_t *ret_size)
{
    CLEANUP_FREE char *kubelet = NULL;
    char *longer = NULL;
    size_t n;

    if (rootfs_read_file(AT_FDCWD, checkpoint, KUBELET_CHECKPOINT_MAX, &kubelet, &n) < 0)
        return 0;
    FILE *stream = open_memstream(&longer, ret_size);
    if (!stream)
        return -ENOMEM;
    fwrite(text, 1, size, stream);
    int r = features_write_counted(text, kubelet, stream);
    if (fclose(stream) != 0 && r == 0)
        r = -ENOMEM;
    if (r < 0)
        free(longer);
    else
        *ret = longer;
    return r == -EBADMSG ? 0 : r;
}

static int write_whole(const char *target, const char *text, size_t size, const char *checkpoint)
{
    CLEANUP_FREE char *longer = NULL;
    size_t longer_size = 0;
    int r = text ? add_counts(text, size, checkpoint, &longer, &longer_size) : 0;

    if (r < 0)
        return failed("write", target, r);
    return longer ? write_target(target, longer, longer_size) : write_target(target, text, size);
}

static int publish_file(const char *source, const char *target, const char *checkpoint)
{
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    int r = read_source(source, &text, &size);

    for (int i = 0; r >= 0 && i < TRIES; i++) {
        r = write_whole(target, text, size, checkpoint);
        if (r < 0)
            return r;
        char *now = NULL;
        size_t now_size = 0;
        r = read_source(source, &now, &now_size);
        bool same = r >= 0 && is_same(text, size, now, now_size);
        free(text);
        text = now;
        size = now_size;
        if (same)
            break;
    }
    return r < 0 ? failed("read", source, r) : 0;
}

int publish_files(char *const *paths, size_t n, const char *checkpoint)
{
    int first = 0;

    for (size_t i = 0; i + 1 < n; i += 2) {
        int r = publish_file(paths[i], paths[i + 1], checkpoint);
        if (first == 0)
            first = r;
    }
    return first;
}
