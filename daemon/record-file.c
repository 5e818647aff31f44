/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/process.h"
#include "replace.h"

#define FOLDER "run/vfio-bindd"
#define DRIVER_NAME_LENGTH 56
#define FILE_MAX (4 * 1024 * 1024)

void recorded_workers_done(struct recorded_workers *w)
{
    free(w->v);
    *w = (struct recorded_workers){0};
}

/* Reads the real /proc, even with --root. */
static int find_process(pid_t pid, struct process *ret)
{
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/");

    return root_fd < 0 ? root_fd : process_read(root_fd, pid, ret);
}

int recorded_workers_add(struct recorded_workers *w, const struct pci_addr *a, pid_t pid)
{
    struct recorded_worker new = {.dynid = !a, .pid = pid};
    struct process p;
    int r = find_process(pid, &p);

    if (r < 0)
        return r;
    new.start = p.start;
    if (a)
        new.addr = *a;
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)))
        return -ENOMEM;
    w->v[w->n++] = new;
    return 0;
}

void recorded_workers_drop(struct recorded_workers *w, pid_t pid)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n; i++)
        if (w->v[i].pid != pid)
            w->v[kept++] = w->v[i];
    w->n = kept;
}

bool recorded_workers_move(struct recorded_workers *w, pid_t pid, const struct pci_addr *a)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->v[i].pid != pid)
            continue;
        w->v[i].dynid = !a;
        if (a)
            w->v[i].addr = *a;
        return true;
    }
    return false;
}

/* -- reading: lines of words, most of them KEY=VALUE; what is not understood is skipped -- */

/* Returns the value of the next word, which is removed from *rest; *ret_key is its key. NULL at the
 * end. */
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

static int load_worker(char *text, struct recorded_workers *w)
{
    struct recorded_worker worker = {0};
    struct process p;
    const char *address = strsep(&text, " "), *key, *value;

    worker.dynid = streq(address, "dynamic-ids");
    if (!worker.dynid && pci_addr_parse(address, &worker.addr) < 0)
        return 0;
    while ((value = next_value(&text, &key))) {
        if (streq(key, "pid"))
            worker.pid = (pid_t)strtol(value, NULL, 10);
        else if (streq(key, "start"))
            worker.start = strtoull(value, NULL, 10);
    }
    if (worker.pid <= 1)
        return 0;
    int r = find_process(worker.pid, &p);
    if (r == -ESRCH || (r == 0 && p.start != worker.start))
        return 0; /* it has exited; if that is unknown, it counts as running */
    if (!grow(&w->v, &w->allocated, w->n, sizeof(*w->v)))
        return -ENOMEM;
    w->v[w->n++] = worker;
    return 0;
}

/* The states that are saved. After a failure, the next run tries again. */
static const struct {
    const char *word;
    enum record_state state;
} kept_states[] = {{"contested", RECORD_CONTESTED},
                   {"handing-back", RECORD_HANDING_BACK},
                   {"handed-back", RECORD_HANDED_BACK},
                   {"releasing", RECORD_RELEASING},
                   {"released", RECORD_RELEASED}};

static void load_state(struct record *r, const char *word)
{
    for (size_t i = 0; i < ELEMENTS(kept_states); i++)
        if (streq(kept_states[i].word, word))
            r->state = kept_states[i].state;
}

static void load_flag(struct record *r, const char *key)
{
    if (streq(key, "touched"))
        r->touched = true;
    else if (streq(key, "placeholder"))
        r->placeholder = true;
    else if (streq(key, "bound"))
        r->binding = BINDING_CLAIMED;
    else if (streq(key, "caught"))
        r->fresh = true;
    else if (streq(key, "refused"))
        r->past.refused = true;
    else if (streq(key, "dead"))
        r->health = HEALTH_SUSPECT; /* it will be tested again */
    else if (streq(key, "had-driver"))
        r->past.had_driver = true;
    else if (streq(key, "released"))
        r->past.released = true;
    else if (streq(key, "autoprobe-off"))
        r->vfs.autoprobe_off = true;
    else if (streq(key, "vfs-released"))
        r->vfs.released = true;
    else if (streq(key, "offer"))
        r->offer = OFFER_OWED;
}

static void load_past(struct record_past *k, const char *text)
{
    unsigned vendor, device, subvendor, subdevice, class_code;

    if (sscanf(text, "%4x:%4x:%4x:%4x:%6x", &vendor, &device, &subvendor, &subdevice,
               &class_code) != 5)
        return;
    k->vendor = (uint16_t)vendor;
    k->device = (uint16_t)device;
    k->subvendor = (uint16_t)subvendor;
    k->subdevice = (uint16_t)subdevice;
    k->class_code = class_code & 0xffffff;
}

/* "-" and "1" mean that there is a driver, but not which one. */
static void load_driver(char **ret, const char *value)
{
    if (!*value || streq(value, "-") || streq(value, "1") || strlen(value) >= DRIVER_NAME_LENGTH)
        return;
    free(*ret);
    *ret = strdup(value);
}

/* An invalid number of virtual functions counts as 0. */
static uint16_t load_count(const char *value)
{
    const unsigned long n = strtoul(value, NULL, 10);

    return n <= UINT16_MAX ? (uint16_t)n : 0;
}

static void load_value(struct record *r, const char *key, const char *value)
{
    if (streq(value, "1"))
        load_flag(r, key);
    if (streq(key, "state"))
        load_state(r, value);
    else if (streq(key, "arrival"))
        r->arrival = streq(value, "unused") ? ARRIVAL_UNUSED : ARRIVAL_PLUGGED;
    else if (streq(key, "drivers"))
        r->offered_to = strtoull(value, NULL, 10);
    else if (streq(key, "vfs"))
        r->vfs.made = load_count(value);
    else if (streq(key, "was"))
        load_past(&r->past, value);
    else if (streq(key, "previous"))
        load_driver(&r->previous_driver, value);
    else if (streq(key, "override")) {
        r->override = OVERRIDE_MAYBE;
        load_driver(&r->override_text, value);
    }
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
    while ((value = next_value(&text, &key)))
        load_value(r, key, value);
    return 0;
}

/* "dynamic-ids order=N": the registration of vfio-pci that has the entries. */
static void load_dynids(char *text, struct dynids *f)
{
    const char *key, *value;

    while ((value = next_value(&text, &key)))
        if (streq(key, "order"))
            f->order = strtoull(value, NULL, 10);
}

static int load_entry(char *text, struct dynids *f)
{
    char *fields = strstr(text, " id=");
    struct dynid id;
    const char *key, *value;

    if (!fields || !dynid_parse(fields + strlen(" id="), &id) || f->n >= DYNIDS_MAX)
        return 0;
    struct dynid_entry *e = dynids_get(f, &id);
    if (!e)
        return -ENOMEM;
    *fields = '\0';
    while ((value = next_value(&text, &key))) {
        if (streq(key, "state"))
            e->state = streq(value, "armed")  ? DYNID_ARMED
                       : streq(value, "open") ? DYNID_OPEN
                                              : DYNID_BEGUN; /* it may be in the table */
        else if (streq(key, "added"))
            e->added = strtoull(value, NULL, 10);
        else if (streq(key, "learned"))
            e->learned = streq(value, "1");
        else if (streq(key, "narrowed"))
            e->narrowed = streq(value, "1");
    }
    if (e->added > f->last_added)
        f->last_added = e->added;
    return 0;
}

int record_file_read(char *text, struct records *records, struct recorded_workers *w)
{
    char *line;
    int r = 0;

    while (r == 0 && (line = strsep(&text, "\n"))) {
        if (after_prefix(line, "format "))
            w->format = (unsigned)strtoul(line + strlen("format "), NULL, 10);
        else if (after_prefix(line, "worker "))
            r = load_worker(line + strlen("worker "), w);
        else if (after_prefix(line, "device "))
            r = load_device(line + strlen("device "), records);
        else if (after_prefix(line, "newest "))
            records->newest = strtoull(line + strlen("newest "), NULL, 10);
        else if (after_prefix(line, "newest-at-boot "))
            records->newest_at_boot = strtoull(line + strlen("newest-at-boot "), NULL, 10);
        else if (streq(line, "iommu given-up"))
            records->iommu_given_up = true;
        else if (after_prefix(line, "dynamic-ids "))
            load_dynids(line + strlen("dynamic-ids "), &records->dynids);
        else if (after_prefix(line, "entry "))
            r = load_entry(line + strlen("entry "), &records->dynids);
    }
    return r;
}

int record_file_load(int root_fd, struct records *records, struct recorded_workers *w)
{
    CLEANUP_FREE char *text = NULL, *why = NULL;
    size_t size;
    int r = rootfs_read_trusted(root_fd, FOLDER "/state", FILE_MAX, false, &text, &size, &why);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return record_file_read(text, records, w);
}

/* -- writing -- */

static void write_dynids(FILE *f, const struct dynids *dynids)
{
    static const char *const states[] = {[DYNID_OPEN] = "open",
                                         [DYNID_BEGUN] = "begun",
                                         [DYNID_ARMED] = "armed",
                                         [DYNID_LEAVING] = "begun"};

    if (dynids->n > 0)
        fprintf(f, "dynamic-ids order=%llu\n", (unsigned long long)dynids->order);
    for (size_t i = 0; i < dynids->n; i++)
        fprintf(f, "entry state=%s learned=%d narrowed=%d added=%llu id=%s\n",
                states[dynids->v[i].state], dynids->v[i].learned, dynids->v[i].narrowed,
                (unsigned long long)dynids->v[i].added, dynid_text(&dynids->v[i].id).s);
}

static const char *state_kept(const struct record *r)
{
    if (r->state == RECORD_RELEASE_FAILED)
        return "releasing";
    if (r->state == RECORD_HANDED_BACK_UNSEEN)
        return "handing-back";
    for (size_t i = 0; i < ELEMENTS(kept_states); i++)
        if (kept_states[i].state == r->state)
            return kept_states[i].word;
    return NULL;
}

/* A device that no rule selects is saved only if its override or binding is ours and must be handed
 * back. The time of its arrival need not be saved: `newest_at_boot` is sufficient. */
static bool is_worth_a_line(const struct record *r)
{
    if (record_vfs_is_owned(&r->vfs) || r->vfs.released)
        return true;
    if (r->unnamed && !record_is_in_hand(r))
        return r->placeholder || r->offer != OFFER_NONE || record_is_owned(r) ||
               record_is_going_back(r);
    return r->touched || r->placeholder || r->offer != OFFER_NONE || r->previous_driver ||
           record_has_past(r) || r->arrival != ARRIVAL_THERE || record_is_owned(r) ||
           state_kept(r) || r->health != HEALTH_UNTESTED;
}

static void write_record(FILE *f, const struct record *r)
{
    static const char *const arrivals[] = {[ARRIVAL_THERE] = "",
                                           [ARRIVAL_PLUGGED] = " arrival=plugged",
                                           [ARRIVAL_UNUSED] = " arrival=unused"};
    const struct record_past *k = &r->past;
    const char *state = state_kept(r);

    fprintf(f, "device %s%s", pci_addr_text(r->addr).s, r->touched ? " touched=1" : "");
    if (state)
        fprintf(f, " state=%s", state);
    fputs(arrivals[r->arrival], f);
    if (record_may_be_overridden(r))
        fprintf(f, " override=%s", r->override_text ? r->override_text : "1");
    fputs(record_is_bound_by_us(r) ? " bound=1" : "", f);
    fputs(record_is_bound_by_us(r) && r->fresh ? " caught=1" : "", f);
    fputs(r->placeholder ? " placeholder=1" : "", f);
    fputs(r->offer != OFFER_NONE ? " offer=1" : "", f);
    if (r->placeholder || r->offer != OFFER_NONE)
        fprintf(f, " drivers=%llu", (unsigned long long)r->offered_to);
    if (record_has_past(r))
        fprintf(f, "%s%s%s was=%04x:%04x:%04x:%04x:%06x", k->refused ? " refused=1" : "",
                k->had_driver ? " had-driver=1" : "", k->released ? " released=1" : "", k->vendor,
                k->device, k->subvendor, k->subdevice, k->class_code);
    fputs(r->health != HEALTH_UNTESTED ? " dead=1" : "", f);
    if (r->previous_driver)
        fprintf(f, " previous=%s", r->previous_driver);
    if (r->vfs.made > 0)
        fprintf(f, " vfs=%u", r->vfs.made);
    fputs(r->vfs.autoprobe_off ? " autoprobe-off=1" : "", f);
    fputs(r->vfs.released ? " vfs-released=1" : "", f);
    fputc('\n', f);
}

void record_file_write(FILE *f, const struct records *records, const struct recorded_workers *w)
{
    fprintf(f, "format %d\n", RECORD_FILE_FORMAT);
    for (size_t i = 0; i < w->n; i++)
        fprintf(f, "worker %s pid=%d start=%llu\n",
                w->v[i].dynid ? "dynamic-ids" : pci_addr_text(w->v[i].addr).s, (int)w->v[i].pid,
                w->v[i].start);
    for (size_t i = 0; i < records->n; i++)
        if (is_worth_a_line(&records->v[i]))
            write_record(f, &records->v[i]);
    if (records->newest > 0)
        fprintf(f, "newest %llu\n", (unsigned long long)records->newest);
    if (records->newest_at_boot > 0)
        fprintf(f, "newest-at-boot %llu\n", (unsigned long long)records->newest_at_boot);
    if (records->iommu_given_up)
        fputs("iommu given-up\n", f);
    write_dynids(f, &records->dynids);
}

int record_file_folder(int root_fd)
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

int record_file_lock(int root_fd, bool wait)
{
    CLEANUP_CLOSE int dir = record_file_folder(root_fd);
    CLEANUP_CLOSE int fd =
        dir < 0 ? dir : openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (dir < 0)
        return dir;
    if (fd < 0 || flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0)
        return -errno;
    return take_fd(&fd);
}

int record_file_save(int root_fd, const struct records *records, struct recorded_workers *w)
{
    CLEANUP_CLOSE int dir = -1;
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -errno;
    record_file_write(f, records, w);
    if (fclose(f) != 0)
        return -errno;
    /* The probability that another text of this size has the same hash is one in four billion. */
    const uint32_t hash = hash_bytes(text, size);
    if (size == w->saved_size && hash == w->saved_hash)
        return 0;
    dir = record_file_folder(root_fd);
    int r = dir < 0 ? dir : replace_file(dir, "state", 0600, text, size);
    if (r < 0)
        return r;
    w->saved_size = size;
    w->saved_hash = hash;
    return 0;
}
