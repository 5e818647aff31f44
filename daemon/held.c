/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "rootfs.h"
#include "util.h"

#define FOLDER "run/vfio-bindd"
#define FILE_MAX (4 * 1024 * 1024)

void held_workers_done(struct held_workers *w)
{
    free(w->v);
    *w = (struct held_workers){0};
}

/* Returns 0 or -ESRCH. The process' name is in parentheses and may hold anything; the fields after
 * the last ')' are numbers. */
static int start_of(pid_t pid, unsigned long long *ret)
{
    char path[32], text[512];
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/");

    snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
    if (rootfs_read_line(root_fd, path, text, sizeof(text)) < 0)
        return -ESRCH;
    const char *after = strrchr(text, ')');
    if (!after || sscanf(after + 1,
                         " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                         "%*d %llu",
                         ret) != 1)
        return -ESRCH;
    return 0;
}

int held_workers_add(struct held_workers *w, struct pci_addr a, pid_t pid)
{
    struct held_worker new = {.addr = a, .pid = pid};
    int r = start_of(pid, &new.start);

    if (r < 0)
        return r;
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)))
        return -ENOMEM;
    w->v[w->n++] = new;
    return 0;
}

void held_workers_drop(struct held_workers *w, struct pci_addr a)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n; i++)
        if (pci_addr_cmp(w->v[i].addr, a) != 0)
            w->v[kept++] = w->v[i];
    w->n = kept;
}

static int load_worker(const char *text, struct held_workers *w)
{
    char address[PCI_ADDR_MAX];
    struct held_worker held;
    unsigned long long start;
    int pid;

    if (sscanf(text, "%23s pid=%d start=%llu", address, &pid, &held.start) != 3 || pid <= 1 ||
        pci_addr_parse(address, &held.addr) < 0)
        return 0;
    held.pid = pid;
    if (start_of(pid, &start) < 0 || start != held.start)
        return 0; /* it has ended */
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)))
        return -ENOMEM;
    w->v[w->n++] = held;
    return 0;
}

static int load_device(const char *text, struct records *records)
{
    char address[PCI_ADDR_MAX], previous[64];
    int touched, released, hotplugged, unused, contested;
    struct pci_addr a;

    if (sscanf(text,
               "%23s touched=%d released=%d hotplugged=%d unused=%d contested=%d previous=%63s",
               address, &touched, &released, &hotplugged, &unused, &contested, previous) != 7 ||
        pci_addr_parse(address, &a) < 0)
        return 0;
    struct record *r = records_get(records, a);
    if (!r)
        return -ENOMEM;
    r->touched = touched != 0;
    r->released = released != 0;
    r->hotplugged = hotplugged != 0;
    r->unused_before = unused != 0;
    r->contested = contested != 0;
    free(r->previous_driver);
    r->previous_driver = streq(previous, "-") ? NULL : strdup(previous);
    return 0;
}

int held_read(char *text, struct records *records, struct held_workers *w)
{
    char *line;
    int r = 0;

    while (r == 0 && (line = strsep(&text, "\n"))) {
        if (after_prefix(line, "worker "))
            r = load_worker(line + strlen("worker "), w);
        else if (after_prefix(line, "device "))
            r = load_device(line + strlen("device "), records);
    }
    return r;
}

int held_load(int root_fd, struct records *records, struct held_workers *w)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    int r = rootfs_read_file(root_fd, FOLDER "/state", FILE_MAX, &text, &size);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return held_read(text, records, w);
}

void held_write(FILE *f, const struct records *records, const struct held_workers *w)
{
    for (size_t i = 0; i < w->n; i++)
        fprintf(f, "worker %s pid=%d start=%llu\n", pci_addr_text(w->v[i].addr).s, (int)w->v[i].pid,
                w->v[i].start);
    for (size_t i = 0; i < records->n; i++) {
        const struct record *r = &records->v[i];
        if (r->touched || r->released || r->hotplugged || r->contested || r->previous_driver)
            fprintf(f,
                    "device %s touched=%d released=%d hotplugged=%d unused=%d contested=%d "
                    "previous=%s\n",
                    pci_addr_text(r->addr).s, r->touched, r->released, r->hotplugged,
                    r->unused_before, r->contested, r->previous_driver ? r->previous_driver : "-");
    }
}

/* Our folder, made if need be. */
static int open_folder(int root_fd)
{
    int dir = rootfs_open(root_fd, FOLDER, O_PATH | O_DIRECTORY);

    if (dir != -ENOENT)
        return dir;
    CLEANUP_CLOSE int run = rootfs_open(root_fd, "run", O_PATH | O_DIRECTORY);
    if (run < 0)
        return run;
    if (mkdirat(run, "vfio-bindd", 0755) < 0 && errno != EEXIST)
        return -errno;
    return rootfs_open(root_fd, FOLDER, O_PATH | O_DIRECTORY);
}

int held_lock(int root_fd)
{
    CLEANUP_CLOSE int dir = open_folder(root_fd);
    CLEANUP_CLOSE int fd =
        dir < 0 ? dir : openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (dir < 0)
        return dir;
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    return take_fd(&fd);
}

int held_save(int root_fd, const struct records *records, const struct held_workers *w)
{
    CLEANUP_CLOSE int dir = open_folder(root_fd);
    static const char temporary[] = "state.new";

    if (dir < 0)
        return dir;
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    CLEANUP(fclosep) FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) {
        int r = -errno;
        if (fd >= 0)
            close(fd);
        return r;
    }
    held_write(f, records, w);
    if (fflush(f) != 0) {
        int r = -errno;
        unlinkat(dir, temporary, 0);
        return r;
    }
    return renameat(dir, temporary, dir, "state") < 0 ? -errno : 0;
}
