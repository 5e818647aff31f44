/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "model/snapshot.h"

#define CAPACITY 256          /* operations of the worker that is kept in reserve */
#define TIMEOUT_USEC 10000000 /* default until the policy is read */
/* A search for users may take this many times longer: 40 s by default, while users.c waits for
 * 25. */
#define HELPER_FACTOR 4
/* A bind takes milliseconds. An operation that takes longer than this must not delay the others of
 * its job. */
#define STALL_USEC 500000

struct jobs {
    sd_event *event;
    int root_fd;
    struct jobs_handler handler;
    struct job *first;
    uint64_t timeout_usec;
    sd_event_source *timer, *starter;
};

struct job *jobs_list(const struct jobs *jobs)
{
    return jobs->first;
}

struct job *jobs_idle(struct jobs *jobs, size_t capacity)
{
    for (struct job *j = jobs->first; j; j = j->next)
        if (j->worker && !j->busy && !j->ended && !j->isolated && !j->cancelled &&
            worker_capacity(j->worker) >= capacity)
            return j;
    return NULL;
}

void job_free(struct job *j)
{
    for (struct job **p = &j->jobs->first; *p; p = &(*p)->next)
        if (*p == j) {
            *p = j->next;
            break;
        }
    sd_event_source_disable_unref(j->source);
    worker_free(j->worker);
    free(j->addrs);
    free(j);
}

static struct job *add_job(struct jobs *jobs)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->jobs = jobs;
    j->next = jobs->first;
    jobs->first = j;
    return j;
}

/* -- workers -- */

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct job *j = userdata;
    struct jobs *jobs = j->jobs;
    int r = worker_check(j->worker);

    (void)source;
    (void)fd;
    (void)events;
    if (r == 0)
        return 0;
    /* Done before the handler is called, which may look for an idle worker: this one is now idle,
     * or about to exit. */
    bool was_busy = j->busy;
    bool keep = r > 0 && !j->cancelled && !j->isolated && worker_capacity(j->worker) == CAPACITY &&
                !jobs_idle(jobs, CAPACITY);
    j->busy = j->waiting = false;
    j->ended = !keep;
    if (was_busy)
        jobs->handler.done(jobs->handler.userdata, j, r < 0 || j->cancelled);
    if (!keep)
        job_free(j);
    return 0;
}

int job_new(struct jobs *jobs, size_t capacity, struct job **ret)
{
    struct job *j = add_job(jobs);
    int r;

    if (!j)
        return -ENOMEM;
    if (capacity < CAPACITY)
        capacity = CAPACITY;
    j->addrs =
        calloc(capacity, sizeof(*j->addrs)); /* allocated now, since taking results must not fail */
    r = j->addrs ? worker_new(jobs->root_fd, capacity, &j->worker) : -ENOMEM;
    if (r >= 0)
        r = sd_event_add_io(jobs->event, &j->source, worker_fd(j->worker), EPOLLIN, on_worker, j);
    if (r < 0) {
        job_free(j);
        return r;
    }
    *ret = j;
    return 0;
}

static int on_old_worker(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct job *j = userdata;
    const struct job old = *j;

    (void)source;
    (void)fd;
    (void)events;
    job_free(j);
    old.jobs->handler.old_ended(old.jobs->handler.userdata, &old);
    return 0;
}

int job_new_old(struct jobs *jobs, pid_t pid, struct job **ret)
{
    CLEANUP_CLOSE int fd = pidfd_open(pid, 0);
    struct job *j;
    int r;

    if (fd < 0)
        return -errno;
    j = add_job(jobs);
    if (!j)
        return -ENOMEM;
    j->busy = j->isolated = j->cancelled = j->overdue = true;
    j->group = NO_GROUP;
    j->pid = pid;
    r = sd_event_add_io(jobs->event, &j->source, fd, EPOLLIN, on_old_worker, j);
    if (r >= 0)
        r = sd_event_source_set_io_fd_own(j->source, true);
    if (r < 0) {
        job_free(j);
        return r;
    }
    (void)take_fd(&fd);
    *ret = j;
    return 0;
}

/* -- deadlines -- */

void jobs_set_timeout(struct jobs *jobs, uint64_t usec)
{
    jobs->timeout_usec = usec;
}

/* Does it wait for vfio-bindd-helper? systemd starts one helper for each question, and on a busy
 * machine many at once take long. If a worker gave up too early, it would only ask and wait
 * again. */
static bool asks_helper(const struct op *op)
{
    return op->kind == ACTION_HOLD || op->kind == ACTION_SET_VFS ||
           (op->kind == ACTION_CHECK && !*op->driver);
}

/* How long a job may take for this operation before something is done about it. */
static uint64_t patience(const struct job *j, const struct op *op)
{
    uint64_t timeout = j->jobs->timeout_usec;

    if (op && j->isolated && asks_helper(op))
        return HELPER_FACTOR * timeout;
    return j->isolated || j->cancelled || timeout < STALL_USEC ? timeout : STALL_USEC;
}

uint64_t jobs_look_usec(uint64_t since_usec, uint64_t patience_usec, uint64_t timeout_usec,
                        uint64_t now)
{
    const uint64_t over = since_usec + patience_usec;

    return over < now + timeout_usec ? over : now + timeout_usec;
}

void jobs_watch(struct jobs *jobs)
{
    const uint64_t now = now_usec();
    uint64_t next = UINT64_MAX;

    for (const struct job *j = jobs->first; j; j = j->next) {
        uint64_t since = now;
        if (!j->busy || j->waiting || j->overdue || !j->worker)
            continue;
        const struct op *op = worker_current(j->worker, &since);
        const uint64_t look = jobs_look_usec(since, patience(j, op), jobs->timeout_usec, now);
        if (look < next)
            next = look;
    }
    if (next != UINT64_MAX)
        (void)sd_event_source_set_time(jobs->timer, next);
    (void)sd_event_source_set_enabled(jobs->timer,
                                      next == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* Finds the first job that takes too long for an operation, and that operation. */
static struct job *find_late(const struct jobs *jobs, struct op *ret)
{
    uint64_t since;

    for (struct job *j = jobs->first; j; j = j->next) {
        const struct op *op =
            j->busy && !j->overdue && j->worker ? worker_current(j->worker, &since) : NULL;
        if (op && now_usec() >= since + patience(j, op)) {
            *ret = *op;
            return j;
        }
    }
    return NULL;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct jobs *jobs = userdata;
    const struct jobs_handler *h = &jobs->handler;
    struct op op;
    struct job *j;

    (void)source;
    (void)usec;
    /* Searched again each time, since the handlers change the list. */
    while ((j = find_late(jobs, &op))) {
        if (j->cancelled) {
            j->overdue = true;
            h->overdue(h->userdata, j);
        } else if (worker_cancel(j->worker, &op)) { /* it may have moved on to another operation */
            j->cancelled = true;
            j->hanging = op;
            h->hangs(h->userdata, j);
        }
    }
    jobs_watch(jobs);
    return 0;
}

/* -- beginning -- */

/* Uses a timer, since a deferred event source would run before all others of its priority. */
int jobs_start(struct jobs *jobs)
{
    int r = sd_event_source_set_time(jobs->starter, 0);

    return r < 0 ? r : sd_event_source_set_enabled(jobs->starter, SD_EVENT_ONESHOT);
}

void jobs_stop(struct jobs *jobs)
{
    (void)sd_event_source_set_enabled(jobs->starter, SD_EVENT_OFF);
}

/* Starts one job, the oldest, in each turn of the event loop. The kernel tends to run a woken
 * worker at once; if all jobs were started together, callers on the bus would wait for all of
 * them. */
static int on_start(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct jobs *jobs = userdata;
    struct job *oldest = NULL;

    (void)source;
    (void)usec;
    for (struct job *j = jobs->first; j; j = j->next)
        if (j->waiting)
            oldest = j;
    if (!oldest)
        return 0;
    oldest->waiting = false;
    (void)worker_submit(oldest->worker); /* if the worker has died, its descriptor shows that */
    jobs_watch(jobs);
    return jobs_start(jobs);
}

/* -- start and end -- */

int jobs_new(sd_event *event, int root_fd, const struct jobs_handler *handler, struct jobs **ret)
{
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    struct job *first;
    int r;

    if (!jobs)
        return -ENOMEM;
    *jobs = (struct jobs){
        .event = event, .root_fd = root_fd, .handler = *handler, .timeout_usec = TIMEOUT_USEC};
    (void)job_new(jobs, CAPACITY,
                  &first); /* in advance; if it fails, it is tried again when a worker is needed */
    r = sd_event_add_time(event, &jobs->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, jobs);
    if (r >= 0)
        r = sd_event_add_time(event, &jobs->starter, CLOCK_MONOTONIC, UINT64_MAX, 0, on_start,
                              jobs);
    if (r < 0) {
        jobs_free(jobs);
        return r;
    }
    *ret = jobs;
    return 0;
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    while (jobs->first)
        job_free(jobs->first);
    sd_event_source_disable_unref(jobs->timer);
    sd_event_source_disable_unref(jobs->starter);
    free(jobs);
}
