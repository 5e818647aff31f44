/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "replace.h"
#include "rootfs.h"
#include "util.h"

#define FOLDER "run/vfio-bindd"
#define DRIVER_NAME_LENGTH 56
#define FILE_MAX (4 * 1024 * 1024)

void held_workers_done(struct held_workers *w)
{
    free(w->v);
    free(w->saved);
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

int held_workers_add(struct held_workers *w, const struct pci_addr *a, pid_t pid)
{
    struct held_worker new = {.fence = !a, .pid = pid};
    int r = start_of(pid, &new.start);

    if (r < 0)
        return r;
    if (a)
        new.addr = *a;
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)))
        return -ENOMEM;
    w->v[w->n++] = new;
    return 0;
}

void held_workers_drop(struct held_workers *w, pid_t pid)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n; i++)
        if (w->v[i].pid != pid)
            w->v[kept++] = w->v[i];
    w->n = kept;
}

/* -- reading: lines of words, most of them KEY=VALUE; what is not understood is skipped -- */

/* The value of the next word, which is cut off from *rest; *ret_key is its key. NULL at the end. */
static char *next_value(char **rest, const char **ret_key)
{
    char *word;

    while ((word = strsep(rest, " "))) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value = '\0';
        *ret_key = word;
        return value + 1;
    }
    return NULL;
}

static int load_worker(char *text, struct held_workers *w)
{
    struct held_worker held = {0};
    unsigned long long start;
    const char *address = strsep(&text, " "), *key, *value;

    held.fence = streq(address, "fence");
    if (!held.fence && pci_addr_parse(address, &held.addr) < 0)
        return 0;
    while ((value = next_value(&text, &key))) {
        if (streq(key, "pid"))
            held.pid = (pid_t)strtol(value, NULL, 10);
        else if (streq(key, "start"))
            held.start = strtoull(value, NULL, 10);
    }
    if (held.pid <= 1 || start_of(held.pid, &start) < 0 || start != held.start)
        return 0; /* it has ended */
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)))
        return -ENOMEM;
    w->v[w->n++] = held;
    return 0;
}

/* The flags of a record that are kept. */
static const struct {
    const char *key;
    size_t offset;
} flags[] = {
    {"touched", offsetof(struct record, touched)},
    {"released", offsetof(struct record, released)},
    {"hotplugged", offsetof(struct record, hotplugged)},
    {"unused", offsetof(struct record, unused_before)},
    {"contested", offsetof(struct record, contested)},
    {"ours", offsetof(struct record, ours)},
    {"parked", offsetof(struct record, parked)},
    {"handed-back", offsetof(struct record, handed_back)},
};

static bool *kept_flag(struct record *r, const char *key)
{
    for (size_t i = 0; i < ELEMENTS(flags); i++)
        if (streq(flags[i].key, key))
            return (bool *)((char *)r + flags[i].offset);
    return NULL;
}

static int load_device(char *text, struct records *records)
{
    const char *address = strsep(&text, " "), *key, *value;
    struct pci_addr a;

    if (pci_addr_parse(address, &a) < 0)
        return 0;
    struct record *r = records_get(records, a);
    if (!r)
        return -ENOMEM;
    while ((value = next_value(&text, &key))) {
        bool *flag = kept_flag(r, key);
        if (flag)
            *flag = streq(value, "1");
        else if (streq(key, "previous") && *value && !streq(value, "-") &&
                 strlen(value) < DRIVER_NAME_LENGTH) {
            free(r->previous_driver);
            r->previous_driver = strdup(value);
        }
    }
    return 0;
}

/* "fence order=N": the registration of vfio-pci to which the entries belong. */
static void load_fence(char *text, struct fence *f)
{
    const char *key, *value;

    while ((value = next_value(&text, &key)))
        if (streq(key, "order"))
            f->order = strtoull(value, NULL, 10);
}

static int load_entry(char *text, struct fence *f)
{
    char *fields = strstr(text, " id=");
    struct fence_id id;
    const char *key, *value;

    if (!fields || !fence_parse(fields + strlen(" id="), &id) || f->n >= FENCE_ENTRIES_MAX)
        return 0;
    struct fence_entry *e = fence_get(f, &id);
    if (!e)
        return -ENOMEM;
    *fields = '\0';
    while ((value = next_value(&text, &key))) {
        if (streq(key, "state"))
            e->state = streq(value, "armed")   ? FENCE_ARMED
                       : streq(value, "begun") ? FENCE_BEGUN
                                               : FENCE_OPEN;
        else if (streq(key, "companion"))
            e->companion = streq(value, "1");
        else if (streq(key, "narrowed"))
            e->narrowed = streq(value, "1");
    }
    return 0;
}

/* "kept 0000:01:00.0 8086:10d3 8086:0000 020000" */
static int load_kept(const char *text, struct records *records)
{
    struct device d = {.group = NO_GROUP};
    unsigned v, dev, sv, sd, class_code;
    char address[PCI_ADDR_MAX];

    if (sscanf(text, "%23s %4x:%4x %4x:%4x %6x", address, &v, &dev, &sv, &sd, &class_code) != 6 ||
        pci_addr_parse(address, &d.addr) < 0)
        return 0;
    d.vendor = (uint16_t)v;
    d.device = (uint16_t)dev;
    d.subvendor = (uint16_t)sv;
    d.subdevice = (uint16_t)sd;
    d.class_code = class_code;
    return records_keep(records, &d);
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
        else if (after_prefix(line, "kept "))
            r = load_kept(line + strlen("kept "), records);
        else if (after_prefix(line, "newest "))
            records->newest = strtoull(line + strlen("newest "), NULL, 10);
        else if (after_prefix(line, "fence "))
            load_fence(line + strlen("fence "), &records->fence);
        else if (after_prefix(line, "entry "))
            r = load_entry(line + strlen("entry "), &records->fence);
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

/* -- writing -- */

static void write_fence(FILE *f, const struct fence *fence)
{
    static const char *const states[] = {
        [FENCE_OPEN] = "open", [FENCE_BEGUN] = "begun", [FENCE_ARMED] = "armed"};

    if (fence->n > 0)
        fprintf(f, "fence order=%llu\n", (unsigned long long)fence->order);
    for (size_t i = 0; i < fence->n; i++)
        fprintf(f, "entry state=%s companion=%d narrowed=%d id=%s\n", states[fence->v[i].state],
                fence->v[i].companion, fence->v[i].narrowed, fence_text(&fence->v[i].id).s);
}

/* A line for each function on a host with thousands: fputs() costs a fraction of fprintf(). */
static void write_record(FILE *f, const struct record *r)
{
    fputs("device ", f);
    fputs(pci_addr_text(r->addr).s, f);
    for (size_t i = 0; i < ELEMENTS(flags); i++)
        if (*(const bool *)((const char *)r + flags[i].offset)) {
            fputc(' ', f);
            fputs(flags[i].key, f);
            fputs("=1", f);
        }
    if (r->previous_driver)
        fprintf(f, " previous=%s", r->previous_driver);
    fputc('\n', f);
}

void held_write(FILE *f, const struct records *records, const struct held_workers *w)
{
    for (size_t i = 0; i < w->n; i++)
        fprintf(f, "worker %s pid=%d start=%llu\n",
                w->v[i].fence ? "fence" : pci_addr_text(w->v[i].addr).s, (int)w->v[i].pid,
                w->v[i].start);
    for (size_t i = 0; i < records->n; i++) {
        const struct record *r = &records->v[i];
        if (!r->touched && !r->released && !r->hotplugged && !r->contested && !r->ours &&
            !r->parked && !r->previous_driver)
            continue;
        write_record(f, r);
    }
    for (size_t i = 0; i < records->n_kept; i++) {
        const struct kept *k = &records->kept[i];
        fprintf(f, "kept %s %04x:%04x %04x:%04x %06x\n", pci_addr_text(k->addr).s, k->vendor,
                k->device, k->subvendor, k->subdevice, k->class_code);
    }
    if (records->newest > 0)
        fprintf(f, "newest %llu\n", (unsigned long long)records->newest);
    write_fence(f, &records->fence);
}

int held_folder(int root_fd)
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
    CLEANUP_CLOSE int dir = held_folder(root_fd);
    CLEANUP_CLOSE int fd =
        dir < 0 ? dir : openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (dir < 0)
        return dir;
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    return take_fd(&fd);
}

int held_save(int root_fd, const struct records *records, struct held_workers *w)
{
    CLEANUP_CLOSE int dir = -1;
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -errno;
    held_write(f, records, w);
    if (fclose(f) != 0)
        return -errno;
    if (w->saved && streq(w->saved, text))
        return 0;
    dir = held_folder(root_fd);
    int r = dir < 0 ? dir : replace_file(dir, "state", 0600, text, size);
    if (r < 0)
        return r;
    free(w->saved);
    w->saved = text;
    text = NULL;
    return 0;
}
