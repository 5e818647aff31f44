/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/install.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "policy/parse.h"

void install_done(struct install *i)
{
    free(i->before);
    i->before = NULL;
}

static int read_file(const char *path, char **ret, size_t *ret_size)
{
    CLEANUP_CLOSE int root = rootfs_open_root("/");

    return root < 0 ? root : rootfs_read_file(root, path + 1, POLICY_FILE_MAX, ret, ret_size);
}

static int look_at_file(struct install *i)
{
    struct stat st;

    if (stat(i->path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    i->existed = true;
    i->mode = st.st_mode & 07777;
    i->uid = st.st_uid;
    i->gid = st.st_gid;
    return read_file(i->path, &i->before, &i->before_size);
}

static void folder_of(const struct install *i, char buf[static sizeof(i->path)])
{
    memcpy(buf, i->path, sizeof(i->path));
    char *slash = strrchr(buf, '/');
    slash[slash == buf] = '\0';
}

/* Compares whole components: /srv/tree2 is not below /srv/tree. */
static bool is_below(const char *path, const char *folder)
{
    const char *rest = after_prefix(path, folder);

    return rest && *rest == '/';
}

/* If the file does not exist yet, its folder must be inside the root as well. */
static int check_folder(const char *path, const char *root)
{
    CLEANUP_FREE char *folder = strdup(path);
    CLEANUP_FREE char *real = NULL;

    if (!folder)
        return -ENOMEM;
    *strrchr(folder, '/') = '\0';
    real = realpath(*folder ? folder : "/", NULL);
    return !real ? -errno : is_below(real, root) ? 0 : -EXDEV;
}

/* The file behind all links. With --root a link may lead out of the tree, to a file of the host. */
static int resolve(const char *root, const char *name, struct install *i)
{
    CLEANUP_FREE char *real_root = realpath(root, NULL), *path = NULL, *real = NULL;

    if (!real_root)
        return -errno;
    bool host = streq(real_root, "/");
    if (asprintf(&path, "%s%s", host ? "" : real_root, name) < 0)
        return -ENOMEM;
    if (strlen(path) >= sizeof(i->path))
        return -ENAMETOOLONG;
    memcpy(i->path, path, strlen(path) + 1);
    real = realpath(path, NULL);
    if (!real && errno == ENOENT)
        return check_folder(path, host ? "" : real_root);
    if (!real)
        return -errno;
    if (streq(real, "/dev/null"))
        return -ENXIO;
    if (strlen(real) >= sizeof(i->path))
        return -ENAMETOOLONG;
    if (!host && !is_below(real, real_root))
        return -EXDEV;
    memcpy(i->path, real, strlen(real) + 1);
    return 0;
}

int install_open(const char *root, const char *name, struct install *ret)
{
    char folder[sizeof(ret->path)];

    *ret = (struct install){.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    snprintf(ret->path, sizeof(ret->path), "%s", name);
    int r = resolve(root, name, ret);
    if (r == 0)
        r = look_at_file(ret);
    if (r < 0)
        return r;
    folder_of(ret, folder);
    return access(folder, W_OK | X_OK) < 0 ? -errno : 0;
}

/* Has somebody else changed the file while the editor was open? */
static bool is_stale(const struct install *i)
{
    CLEANUP_FREE char *now = NULL;
    size_t size = 0;
    int r = read_file(i->path, &now, &size);

    if (!i->existed)
        return r != -ENOENT;
    return r < 0 || size != i->before_size || memcmp(now, i->before, size) != 0;
}

static int write_new(const struct install *i, int fd, const char *bytes, size_t size)
{
    int r = write_all(fd, bytes, size);

    if (r == 0 && i->existed && fchown(fd, i->uid, i->gid) < 0 && geteuid() == 0)
        r = -errno;
    if (r == 0 && (fchmod(fd, i->mode) < 0 || fsync(fd) < 0))
        r = -errno;
    return r;
}

/* An existing file is replaced only if it existed before. */
static int move_into_place(const struct install *i, const char *temporary)
{
    unsigned flags = i->existed ? 0 : RENAME_NOREPLACE;

    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, i->path, flags) == 0)
        return 0;
    return errno == EEXIST ? -ESTALE : -errno;
}

/* The file is installed; without this, a crash could bring the old one back. */
static void sync_folder(const char *folder)
{
    CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        (void)fsync(fd);
}

int install_replace(const struct install *i, const char *bytes, size_t size)
{
    char folder[sizeof(i->path)], temporary[sizeof(i->path) + 40];

    if (is_stale(i))
        return -ESTALE;
    folder_of(i, folder);
    /* The name does not end in .conf, so it is never read as part of the policy. */
    snprintf(temporary, sizeof(temporary), "%s/.vfio-bindd.XXXXXX", folder);
    CLEANUP_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = write_new(i, fd, bytes, size);
    if (r == 0)
        r = move_into_place(i, temporary);
    if (r < 0)
        unlink(temporary);
    else
        sync_folder(folder);
    return r;
}

int install_remove(const struct install *i)
{
    char folder[sizeof(i->path)];

    if (is_stale(i))
        return -ESTALE;
    if (unlink(i->path) < 0)
        return -errno;
    folder_of(i, folder);
    sync_folder(folder);
    return 0;
}

int install_complain(const struct ctl *c, const struct install *i, int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        return ctl_error("%s: %s: try sudo", i->path, strerror(-error));
    case -EROFS:
        return ctl_error("%s: this file system is read-only", i->path);
    case -ENXIO:
        return ctl_error("%s is masked (a link to /dev/null): remove the link first", i->path);
    case -EXDEV:
        return ctl_error("%s is a link to a place outside %s", i->path, c->root);
    case -ESTALE:
        return ctl_error("%s has been changed in the meantime: compare, and try again", i->path);
    default:
        return ctl_error("%s: %s", i->path, strerror(-error));
    }
}
