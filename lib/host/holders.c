/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/printable.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/nodes.h"
#include "host/process.h"

#define THREAD_MAX 64                          /* "proc/1/task/2" */
#define VFIO_DEVICE "anon_inode:[vfio-device]" /* a device opened through its group */

struct holder_search {
    int root_fd;
    struct asker asker;
    const struct pci_addr *addrs;
    size_t n;
    struct nodes nodes;
    bool vfio;           /* a VFIO device that cannot be identified counts, too */
    unsigned vfio_major; /* major number of the groups' nodes; 0: not known */
    int trouble;         /* the first thing that could not be looked at; negative errno */
    struct holder *ret;
};

/* What else of VFIO a process has open. */
struct vfio_use {
    bool unknown; /* a VFIO device that cannot be identified */
    bool group;
};

static void no_look(struct holder_search *s, int r)
{
    if (s->trouble == 0 && r != -ENOENT && r != -ESRCH) /* these mean that it has ended */
        s->trouble = r;
}

/* -- who it is -- */

static void copy_text(char *to, size_t size, const char *from)
{
    printable(to, size, from, strlen(from));
}

/* Returns false if the process has ended. */
static bool identify(struct holder_search *s, pid_t pid, struct pci_addr a, const char *node)
{
    struct holder h = {.addr = a, .pid = pid};
    char path[64], text[64];
    int r;

    snprintf(path, sizeof(path), "proc/%d/comm", pid);
    r = rootfs_read_line(s->root_fd, path, text, sizeof(text));
    if (r == -ENOENT || r == -ESRCH)
        return false;
    copy_text(h.command, sizeof(h.command), r < 0 ? "" : text);
    copy_text(h.node, sizeof(h.node), node);
    (void)process_unit(s->root_fd, pid, h.unit);
    *s->ret = h;
    return true;
}

/* -- what it has open -- */

static const struct pci_addr *named_in(const struct holder_search *s, char *path)
{
    char *rest, *part;
    struct pci_addr a;

    for (rest = path; (part = strsep(&rest, "/\n"));)
        for (size_t i = 0; pci_addr_parse(part, &a) == 0 && i < s->n; i++)
            if (pci_addr_cmp(a, s->addrs[i]) == 0)
                return &s->addrs[i];
    return NULL;
}

/* Newer kernels tell the address of a VFIO device; a mediated device lies below its parent. NULL:
 * it is none of the devices, or not known. */
static const struct pci_addr *vfio_device(struct holder_search *s, const char *thread,
                                          const char *fd, struct vfio_use *use)
{
    CLEANUP_FREE char *text = NULL;
    char path[THREAD_MAX + 32], *at = NULL;
    size_t size;

    snprintf(path, sizeof(path), "%s/fdinfo/%.16s", thread, fd);
    if (rootfs_read_file(s->root_fd, path, 1 << 16, &text, &size) == 0)
        at = strstr(text, "vfio-device-syspath:");
    if (!at) {
        use->unknown = true;
        return NULL;
    }
    at += strlen("vfio-device-syspath:");
    at[strcspn(at, "\n")] = '\0';
    return named_in(s, at);
}

/* Does the descriptor only name the file (O_PATH)? udev has a new node open like that while it sets
 * the node's mode. */
static bool is_path_only(const struct holder_search *s, const char *thread, const char *fd)
{
    CLEANUP_FREE char *text = NULL;
    char path[THREAD_MAX + 32];
    unsigned flags = 0;
    size_t size;

    snprintf(path, sizeof(path), "%s/fdinfo/%.16s", thread, fd);
    if (rootfs_read_file(s->root_fd, path, 1 << 16, &text, &size) < 0)
        return false;
    const char *at = strstr(text, "flags:");
    return at && sscanf(at, "flags: %o", &flags) == 1 && (flags & O_PATH);
}

/* To which of the devices the descriptor belongs; NULL: to none. */
static const struct pci_addr *device_of(struct holder_search *s, const char *thread, int dir_fd,
                                        const char *fd, char text[static HOLDER_TEXT_MAX],
                                        struct vfio_use *use)
{
    ssize_t n = readlinkat(dir_fd, fd, text, HOLDER_TEXT_MAX - 1);
    struct statx st;

    if (n < 0) {
        no_look(s, -errno);
        return NULL;
    }
    text[n] = '\0';
    if (streq(text, VFIO_DEVICE))
        return vfio_device(s, thread, fd, use);
    if (!strstr(text, "/dev/")) /* in a chroot, more comes before it */
        return NULL;
    if (statx(dir_fd, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0) {
        no_look(s, -errno);
        return NULL;
    }
    if (!S_ISCHR(st.stx_mode) && !S_ISBLK(st.stx_mode))
        return NULL;
    const bool group = S_ISCHR(st.stx_mode) && s->vfio_major && st.stx_rdev_major == s->vfio_major;
    const struct node *node =
        nodes_find(&s->nodes, makedev(st.stx_rdev_major, st.stx_rdev_minor), S_ISBLK(st.stx_mode));
    if ((!node && !group) || is_path_only(s, thread, fd))
        return NULL;
    use->group = use->group || group;
    return node ? &node->addr : NULL;
}

/* Does the thread (with the others that share its descriptors) have one of the devices? *s->ret is
 * filled then. *ret_any becomes true if it has any descriptor. */
static bool look_at_files(struct holder_search *s, pid_t pid, const char *thread,
                          struct vfio_use *use, bool *ret_any)
{
    char path[THREAD_MAX + 8], text[HOLDER_TEXT_MAX];
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;

    snprintf(path, sizeof(path), "%s/fd", thread);
    int r = rootfs_open_dir(s->root_fd, path, &dir);
    while (r >= 0 && (r = rootfs_next(dir, &e)) > 0) {
        *ret_any = true;
        const struct pci_addr *a = device_of(s, thread, dirfd(dir), e->d_name, text, use);
        if (a && identify(s, pid, *a, text))
            return true;
    }
    if (r < 0)
        no_look(s, r);
    return false;
}

/* A process whose first thread has ended shows its descriptors only with its other threads. */
static bool look_at_threads(struct holder_search *s, pid_t pid, struct vfio_use *use)
{
    char path[THREAD_MAX], thread[THREAD_MAX];
    const struct dirent *e;
    bool any = false;
    CLEANUP(closedirp) DIR *dir;

    snprintf(path, sizeof(path), "proc/%d/task", pid);
    int r = rootfs_open_dir(s->root_fd, path, &dir);
    while (r >= 0 && !any && (r = rootfs_next(dir, &e)) > 0) {
        snprintf(thread, sizeof(thread), "proc/%d/task/%.16s", pid, e->d_name);
        if (strtol(e->d_name, NULL, 10) != pid && look_at_files(s, pid, thread, use, &any))
            return true;
    }
    if (r < 0)
        no_look(s, r);
    return false;
}

/* Returns 1 (the process has the device), 0 (it has not), or 2 (it may have it). *s->ret is filled
 * unless it returns 0. */
static int look_at_process(struct holder_search *s, pid_t pid)
{
    char process[THREAD_MAX];
    struct vfio_use use = {0};
    bool any = false;

    snprintf(process, sizeof(process), "proc/%d", pid);
    if (look_at_files(s, pid, process, &use, &any) || (!any && look_at_threads(s, pid, &use)))
        return 1;
    if (s->vfio && use.unknown && !use.group && identify(s, pid, s->addrs[0], "a VFIO device"))
        return 2;
    return 0;
}

/* A worker that keeps an IOMMU group while it hands a member back is no user of the group's other
 * members. A worker whose daemon has died is nobody's child any more. */
static bool is_fellow_worker(const struct holder_search *s, pid_t pid)
{
    struct process p;

    return s->asker.parent > 1 && process_read(s->root_fd, pid, &p) == 0 &&
           p.parent == s->asker.parent;
}

/* Returns what holders_find() returns. */
static int search(struct holder_search *s)
{
    struct holder found, *ret = s->ret;
    bool perhaps = false, first = false;
    const pid_t self = getpid();
    const struct dirent *e;
    int r;
    CLEANUP(closedirp) DIR *dir;

    r = rootfs_open_dir(s->root_fd, "proc", &dir);
    if (r < 0)
        return r;
    while ((r = rootfs_next(dir, &e)) > 0) {
        int pid, end;
        if (sscanf(e->d_name, "%9d%n", &pid, &end) != 1 || e->d_name[end] || pid <= 0)
            continue;
        first = first || pid == 1;
        if (pid == self || pid == s->asker.pid)
            continue;
        s->ret = &found;
        r = look_at_process(s, pid);
        if (r != 0 && is_fellow_worker(s, pid))
            continue;
        if (r == 1 || (r == 2 && !perhaps))
            *ret = found;
        if (r == 1)
            return 1;
        perhaps = perhaps || r == 2;
    }
    if (r < 0)
        no_look(s, r);
    if (perhaps)
        return 1;
    if (!first) /* without PID 1, /proc hides processes that we may not look at */
        no_look(s, -EACCES);
    return s->trouble == -EPERM ? -EACCES : s->trouble;
}

static struct asker who_asks(const struct asker *asker)
{
    return asker ? *asker : (struct asker){getpid(), getppid()};
}

int holders_find(int root_fd, const struct asker *asker, const struct pci_addr *addrs, size_t n,
                 struct holder *ret)
{
    struct holder_search s = {
        .root_fd = root_fd, .asker = who_asks(asker), .addrs = addrs, .n = n, .ret = ret};
    int r;

    for (size_t i = 0; i < n; i++) {
        r = nodes_of(root_fd, addrs[i], &s.nodes);
        if (r < 0)
            no_look(&s, r);
    }
    r = s.nodes.n == 0 ? s.trouble : search(&s);
    nodes_done(&s.nodes);
    return r;
}

int holders_vfio(int root_fd, const struct asker *asker, uint32_t group, struct pci_addr a,
                 struct holder *ret)
{
    struct holder_search s = {.root_fd = root_fd,
                              .asker = who_asks(asker),
                              .addrs = &a,
                              .n = 1,
                              .vfio = true,
                              .ret = ret};
    char name[16];
    int r;

    snprintf(name, sizeof(name), "%u", group);
    r = nodes_of_group(root_fd, name, a, &s.nodes);
    if (r == 0)
        s.vfio_major = major(s.nodes.v[0].number);
    else
        no_look(&s, r);
    r = nodes_of(root_fd, a, &s.nodes);
    if (r < 0)
        no_look(&s, r);
    r = search(&s);
    nodes_done(&s.nodes);
    return r;
}
