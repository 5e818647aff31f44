/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/feature-files.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <time.h>

#include "base/clock.h"
#include "host/pci-files.h"
#include "offer/node-features.h"
#include "record-file.h"
#include "replace.h"
#include "tell/journal.h"

#define MINUTE_USEC (60 * USEC_PER_SEC)

/* NFD reads the file once a minute by default. The lifetime leaves room for a late renewal. */
#define LIFETIME_USEC (10 * MINUTE_USEC)
#define RENEWAL_USEC (4 * MINUTE_USEC)
#define RENEWAL_ACCURACY_USEC MINUTE_USEC

/* systemd does not watch the files of a path unit while its service runs. So changes are written
 * again a little later. */
#define REPEAT_USEC (10 * USEC_PER_SEC)
#define REPEAT_ACCURACY_USEC USEC_PER_SEC

struct file {
    const char *name;
    char *text;   /* the wanted contents; NULL: no file is wanted */
    bool dirty;   /* the file does not have this text yet */
    bool changed; /* more than the time of expiry has changed, so the old file would be wrong */
    int error;    /* the last error, which was logged; 0: none since the last success */
};

enum { FEATURES, METRICS, FILES };

/* The NUMA node of an address. It belongs to the slot and does not change. */
struct numa_seen {
    struct pci_addr addr;
    int node;
};

struct feature_files {
    sd_event *event;
    int root_fd;
    uint64_t interval_usec;
    struct file files[FILES];
    struct numa_seen *numa;
    size_t n_numa, numa_allocated;
    uint64_t written_usec;    /* time of the last write */
    sd_event_source *writing; /* fires when interval_usec has passed */
    sd_event_source *renewal; /* by the wall clock, like the expiry: fires when it is set */
};

/* -- text -- */

static int features_text(const struct features *f, size_t i, char **ret)
{
    size_t size;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return -ENOMEM;
    int r =
        i == FEATURES ? features_write_nfd(f, NULL, stream) : features_write_prometheus(f, stream);
    if (fclose(stream) != 0 && r >= 0)
        r = -ENOMEM;
    if (r < 0)
        free(text);
    else
        *ret = text;
    return r;
}

/* The contents of the feature file: a time of expiry, then the text. Returns the length or negative
 * errno. */
static int with_expiry(const char *text, char **ret)
{
    time_t expiry = time(NULL) + (time_t)(LIFETIME_USEC / USEC_PER_SEC);
    struct tm tm;
    char when[32];

    if (!gmtime_r(&expiry, &tm) || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return -EOVERFLOW;
    int n = asprintf(ret, "# +expiry-time=%s\n%s", when, text);
    return n < 0 ? -ENOMEM : n;
}

/* -- files -- */

static int write_or_remove(int dir, const struct file *file, bool expires)
{
    CLEANUP_FREE char *text = NULL;

    if (!file->text)
        return unlinkat(dir, file->name, 0) < 0 && errno != ENOENT ? -errno : 0;
    if (!expires)
        return replace_file(dir, file->name, 0644, file->text, strlen(file->text));
    int n = with_expiry(file->text, &text);
    return n < 0 ? n : replace_file(dir, file->name, 0644, text, (size_t)n);
}

static void log_failure(struct file *file, int dir, int error)
{
    bool gone = file->changed && dir >= 0 && (unlinkat(dir, file->name, 0) >= 0 || errno == ENOENT);

    if (file->error != error)
        journal_plain(LOG_ERR, "cannot write /run/vfio-bindd/%s: %s; %s, trying again within 5 min",
                      file->name, strerror(-error),
                      gone ? "the old one is removed because it would be wrong"
                           : "the old one stays");
    file->error = error;
}

static void write_files(struct feature_files *f)
{
    CLEANUP_CLOSE int dir = record_file_folder(f->root_fd);

    for (size_t i = 0; i < FILES; i++) {
        struct file *file = &f->files[i];
        if (!file->dirty)
            continue;
        int r = dir < 0 ? dir : write_or_remove(dir, file, i == FEATURES);
        if (r < 0) {
            log_failure(file, dir, r);
            continue;
        }
        file->dirty = file->changed = false;
        if (!file->text)
            continue;
        if (file->error < 0)
            journal_plain(LOG_NOTICE, "/run/vfio-bindd/%s is written again", file->name);
        file->error = 0;
    }
    f->written_usec = now_usec();
}

/* -- when -- */

static int on_writing(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct feature_files *f = userdata;

    (void)source;
    (void)usec;
    f->writing = sd_event_source_disable_unref(f->writing);
    write_files(f);
    return 0;
}

/* Writes now, or when interval_usec has passed. */
static void write_soon(struct feature_files *f)
{
    uint64_t due = f->written_usec + f->interval_usec;

    if (f->writing)
        return;
    if (f->written_usec == 0 || now_usec() >= due ||
        sd_event_add_time(f->event, &f->writing, CLOCK_MONOTONIC, due, 0, on_writing, f) < 0)
        write_files(f);
}

static int on_renewal(sd_event_source *source, uint64_t usec, void *userdata);

static void renew_in(struct feature_files *f, uint64_t usec, uint64_t accuracy_usec)
{
    struct timespec now;
    bool wanted = false;

    f->renewal = sd_event_source_disable_unref(f->renewal);
    for (size_t i = 0; i < FILES; i++)
        wanted = wanted || f->files[i].text;
    clock_gettime(CLOCK_REALTIME, &now);
    if (wanted && sd_event_add_time(f->event, &f->renewal, CLOCK_REALTIME,
                                    (uint64_t)now.tv_sec * USEC_PER_SEC + usec, accuracy_usec,
                                    on_renewal, f) < 0)
        journal_plain(LOG_ERR, "cannot set a timer: /run/vfio-bindd/features will expire");
}

static int on_renewal(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct feature_files *f = userdata;

    (void)source;
    (void)usec;
    for (size_t i = 0; i < FILES; i++)
        f->files[i].dirty = f->files[i].dirty || f->files[i].text;
    write_soon(f);
    renew_in(f, RENEWAL_USEC, RENEWAL_ACCURACY_USEC);
    return 0;
}

/* -- what others call -- */

int feature_files_new(sd_event *event, int root_fd, uint64_t interval_usec,
                      struct feature_files **ret)
{
    struct feature_files *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->event = sd_event_ref(event);
    f->root_fd = root_fd;
    f->interval_usec = interval_usec;
    f->files[FEATURES] = (struct file){.name = "features", .dirty = true}; /* may be left over */
    f->files[METRICS] = (struct file){.name = "metrics.prom", .dirty = true};
    *ret = f;
    return 0;
}

/* Sets the wanted contents of a file; r < 0: they could not be made. Returns true if there is
 * something to write. */
static bool take_text(struct file *file, bool wanted, int r, const struct features *features,
                      size_t i)
{
    char *text = NULL;

    if (wanted && r >= 0)
        r = features_text(features, i, &text);
    bool failed = wanted && r < 0 && file->error != r;
    if (failed) {
        journal_plain(LOG_ERR, "/run/vfio-bindd/%s is not written: %s", file->name,
                      r == -E2BIG ? "more device models than NFD reads" : strerror(-r));
        file->error = r;
    }
    if (streq_null(text, file->text)) {
        free(text);
        return file->dirty && (failed || file->error == 0);
    }
    if (!wanted)
        file->error = 0;
    free(file->text);
    file->text = text;
    return file->dirty = file->changed = true;
}

static int numa_node_of(struct feature_files *f, struct pci_addr a)
{
    char text[16];

    for (size_t i = 0; i < f->n_numa; i++)
        if (pci_addr_cmp(f->numa[i].addr, a) == 0)
            return f->numa[i].node;
    if (!*pci_attribute(f->root_fd, a, "numa_node", text, sizeof(text)))
        return -1;
    const int node = atoi(text);
    if (grow(&f->numa, &f->numa_allocated, f->n_numa, sizeof(*f->numa)))
        f->numa[f->n_numa++] = (struct numa_seen){a, node};
    return node;
}

void feature_files_update(struct feature_files *f, const struct view *view)
{
    const bool wanted[FILES] = {view->policy.node_features, view->policy.metrics};
    CLEANUP(features_done) struct features features = {0};
    bool news = false;
    int r = 0;

    if (wanted[FEATURES] || wanted[METRICS])
        r = features_of_plan(&view->policy, &view->snapshot, &view->plan, view->n_errors, true,
                             &features);
    for (size_t i = 0; i < features.n; i++)
        features.v[i].numa_node = numa_node_of(f, features.v[i].d->addr);
    features.ready = features.ready && !view->disabled;
    for (size_t i = 0; i < FILES; i++)
        news = take_text(&f->files[i], wanted[i], r, &features, i) || news;
    if (!news)
        return;
    write_soon(f);
    renew_in(f, REPEAT_USEC, REPEAT_ACCURACY_USEC);
}

void feature_files_free(struct feature_files *f)
{
    if (!f)
        return;
    CLEANUP_CLOSE int dir = record_file_folder(f->root_fd);
    for (size_t i = 0; i < FILES; i++) {
        if (dir >= 0)
            (void)unlinkat(dir, f->files[i].name, 0);
        free(f->files[i].text);
    }
    free(f->numa);
    sd_event_source_disable_unref(f->writing);
    sd_event_source_disable_unref(f->renewal);
    sd_event_unref(f->event);
    free(f);
}
