/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <syslog.h>

#include "clock.h"
#include "held.h"
#include "journal.h"
#include "results.h"
#include "worker.h"

#define CAPACITY 256    /* operations of the worker that is kept ready */
#define ISOLATED_MAX 32 /* workers at once; more wait their turn */
/* A bind takes milliseconds: what waits longer must not hold up others. */
#define STALL_USEC 500000

/* A worker and what it does. */
struct job {
    struct apply *apply;
    struct job *next;
    struct worker *worker; /* NULL: an earlier run's, only waited for */
    pid_t pid;             /* of that one */
    sd_event_source *source;
    bool waiting;      /* its operations are in place and on record; see on_start() */
    bool busy;         /* from then on */
    bool isolated;     /* a takeover or a release */
    bool cancelled;    /* it hangs: only `hanging` is still its business */
    bool overdue;      /* and past its deadline */
    bool ended;        /* about to be freed: gets no further job */
    struct op hanging; /* the operation at which it hangs; of an earlier run's only whose it is */
};

struct apply {
    sd_event *event;
    int root_fd;
    struct records *records;
    struct held_workers held;
    struct job *jobs;
    uint64_t timeout_usec;
    sd_event_source *timer, *starter;
    apply_done done;
    void *userdata;
};

/* -- jobs -- */

static void job_free(struct job *j)
{
    for (struct job **p = &j->apply->jobs; *p; p = &(*p)->next)
        if (*p == j) {
            *p = j->next;
            break;
        }
    sd_event_source_disable_unref(j->source);
    worker_free(j->worker);
    free(j);
}

static struct job *job_add(struct apply *a)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->apply = a;
    j->next = a->jobs;
    a->jobs = j;
    return j;
}

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *userdata);
static struct job *idle_job(struct apply *a, size_t capacity);

static int job_new(struct apply *a, size_t capacity, struct job **ret)
{
    struct job *j = job_add(a);
    int r = j ? worker_new(a->root_fd, capacity, &j->worker) : -ENOMEM;

    if (r >= 0)
        r = sd_event_add_io(a->event, &j->source, worker_fd(j->worker), EPOLLIN, on_worker, j);
    if (r < 0) {
        if (j)
            job_free(j);
        return r;
    }
    *ret = j;
    return 0;
}

bool apply_is_busy(const struct apply *a)
{
    for (const struct job *j = a->jobs; j; j = j->next)
        if (j->busy && !j->overdue)
            return true;
    return false;
}

/* -- jobs that are done -- */

/* Was it a worker's business until now? Of a device that took the place of another meanwhile only
 * is known what events have told. */
static bool release_device(struct apply *a, struct pci_addr addr)
{
    struct record *r = records_find(a->records, addr);

    if (!r || !r->in_flight)
        return false;
    if (r->replaced) {
        const struct record old = *r;
        record_reset(r);
        r->hotplugged = old.hotplugged;
        r->fresh = old.fresh;
        r->unused_before = old.unused_before;
        r->confirmed = old.confirmed;
    }
    r->in_flight = r->stuck = false;
    return true;
}

/* Is it what the job hangs at, or does it concern the same device? */
static bool is_hanging(const struct job *j, const struct op *op)
{
    if (action_is_fence(op->kind) || action_is_fence(j->hanging.kind))
        return op->kind == j->hanging.kind && streq(op->driver, j->hanging.driver);
    return pci_addr_cmp(op->addr, j->hanging.addr) == 0;
}

/* Is the operation what a call of settle_job() is about? */
static bool is_concerned(const struct job *j, const struct op *op, bool ended)
{
    return !j->cancelled || ended == is_hanging(j, op);
}

static bool release_op(struct apply *a, const struct op *op)
{
    return !action_is_fence(op->kind) && release_device(a, op->addr);
}

/* Takes over the results of a job, all of them or (a job that hangs) all but those of the device it
 * hangs at, and gives its devices back. */
static void settle_job(struct job *j, bool ended)
{
    struct apply *a = j->apply;
    size_t n, n_addrs = 0;
    const struct op *ops = worker_ops(j->worker, &n);
    CLEANUP_FREE struct pci_addr *addrs = calloc(n, sizeof(*addrs));

    for (size_t i = 0; i < n; i++) {
        if (!is_concerned(j, &ops[i], ended))
            continue;
        results_note(a->records, &ops[i], worker_found(j->worker));
        if (ended && !j->cancelled)
            results_note_death(a->records, &ops[i]);
    }
    results_give_up_group(a->records, ops, n, worker_found(j->worker));
    for (size_t i = 0; i < n; i++)
        if (is_concerned(j, &ops[i], ended) && release_op(a, &ops[i]) && addrs)
            addrs[n_addrs++] = ops[i].addr;
    if (ended && j->cancelled && action_is_fence(j->hanging.kind))
        a->records->fence.hanging--;
    if (j->cancelled ? ended : j->isolated) {
        held_workers_drop(&a->held, worker_pid(j->worker));
        (void)apply_save(a);
    }
    a->done(a->userdata, addrs, n_addrs);
}

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct job *j = userdata;
    int r = worker_check(j->worker);

    (void)source;
    (void)fd;
    (void)events;
    if (r == 0)
        return 0;
    /* What settle_job() calls may look for an idle worker: this one is, or never will be. */
    bool was_busy = j->busy;
    bool keep = r > 0 && !j->cancelled && !j->isolated && worker_capacity(j->worker) == CAPACITY &&
                !idle_job(j->apply, CAPACITY);
    j->busy = false;
    j->ended = !keep;
    if (was_busy)
        settle_job(j, r < 0 || j->cancelled);
    if (!keep)
        job_free(j);
    return 0;
}

/* -- deadlines -- */

/* How long a job may take over one operation before something is done about it. */
static uint64_t patience(const struct job *j)
{
    uint64_t timeout = j->apply->timeout_usec;

    return j->isolated || j->cancelled || timeout < STALL_USEC ? timeout : STALL_USEC;
}

static void arm_timer(struct apply *a)
{
    uint64_t next = UINT64_MAX;

    for (const struct job *j = a->jobs; j; j = j->next) {
        uint64_t since = now_usec();
        if (!j->busy || j->overdue || !j->worker)
            continue;
        (void)worker_current(j->worker, &since);
        if (since + patience(j) < next)
            next = since + patience(j);
    }
    if (next == UINT64_MAX) {
        sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
        return;
    }
    sd_event_source_set_time(a->timer, next);
    sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

/* The job does nothing more after what it hangs at; all but that device is given back. */
static void cancel_job(struct job *j, const struct op *op)
{
    bool fence = action_is_fence(op->kind);

    j->cancelled = true;
    j->hanging = *op;
    worker_cancel(j->worker);
    if (fence) {
        results_hanging_entry(j->apply->records, op);
        j->apply->records->fence.hanging++;
    }
    if (!j->isolated) { /* the others are on record since they began */
        (void)held_workers_add(&j->apply->held, fence ? NULL : &op->addr, worker_pid(j->worker));
        (void)apply_save(j->apply);
    }
    settle_job(j, false);
}

static void give_up(struct job *j)
{
    j->overdue = true;
    if (action_is_fence(j->hanging.kind)) { /* its entry is at work: no device is affected */
        j->apply->done(j->apply->userdata, NULL, 0);
        return;
    }
    struct record *r = records_find(j->apply->records, j->hanging.addr);
    if (r)
        r->stuck = true;
    j->apply->done(j->apply->userdata, &j->hanging.addr, 1);
}

/* The first job that has tried our patience, and at which operation. */
static struct job *overdue_job(const struct apply *a, struct op *ret)
{
    uint64_t since;

    for (struct job *j = a->jobs; j; j = j->next) {
        const struct op *op =
            j->busy && !j->overdue && j->worker ? worker_current(j->worker, &since) : NULL;
        if (op && now_usec() >= since + patience(j)) {
            *ret = *op;
            return j;
        }
    }
    return NULL;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct apply *a = userdata;
    struct op op;
    struct job *j;

    (void)source;
    (void)usec;
    /* Anew each time: what follows changes the list. */
    while ((j = overdue_job(a, &op))) {
        if (!j->cancelled)
            cancel_job(j, &op);
        else
            give_up(j);
    }
    arm_timer(a);
    return 0;
}

void apply_set_timeout(struct apply *a, uint64_t usec)
{
    a->timeout_usec = usec;
}

/* -- plans -- */

static void make_op(const struct action *action, struct op *ret)
{
    *ret = (struct op){.addr = action->addr,
                       .kind = action->kind,
                       .companion = action->companion,
                       .narrowed = action->narrowed,
                       .result = OP_NOT_DONE};
    if (action->kind == ACTION_HOLD)
        snprintf(ret->driver, sizeof(ret->driver), "%u", action->group);
    else if (action_is_fence(action->kind))
        snprintf(ret->driver, sizeof(ret->driver), "%s", fence_text(&action->fence).s);
    else
        (void)memccpy(ret->driver, action->driver, '\0', sizeof(ret->driver) - 1);
}

/* Puts the operations of a job where its worker looks for them. */
static void fill(struct job *j, const struct action *actions, size_t n)
{
    struct op *ops = worker_room(j->worker, n);

    for (size_t i = 0; i < n; i++)
        make_op(&actions[i], &ops[i]);
}

static void save_or_say(struct apply *a, const struct op *op)
{
    if (apply_save(a) < 0)
        journal_plain(LOG_WARNING,
                      "cannot write /run/vfio-bindd/state: after a restart it would not be known "
                      "what was done to %s",
                      action_is_fence(op->kind) ? FENCE_DRIVER : pci_addr_text(op->addr).s);
}

/* From now on the devices are this job's business. */
static void claim(struct job *j)
{
    struct records *records = j->apply->records;
    size_t n;
    const struct op *ops = worker_ops(j->worker, &n);

    j->busy = true;
    for (size_t i = 0; i < n; i++) {
        struct record *record =
            action_is_fence(ops[i].kind) ? NULL : records_find(records, ops[i].addr);
        if (record)
            record->in_flight = true;
    }
}

static int submit(struct job *j)
{
    struct apply *a = j->apply;
    size_t n;
    const struct op *ops = worker_ops(j->worker, &n);

    if (results_begin(a->records, ops, n))
        save_or_say(a, &ops[0]);
    int r = worker_submit(j->worker);
    if (r < 0)
        a->records->fence.in_flight = false;
    else
        claim(j);
    return r;
}

static struct job *idle_job(struct apply *a, size_t capacity)
{
    for (struct job *j = a->jobs; j; j = j->next)
        if (j->worker && !j->busy && !j->ended && !j->isolated && !j->cancelled &&
            worker_capacity(j->worker) >= capacity)
            return j;
    return NULL;
}

/* One job for all of it, however much: so every override is written before the first bind. */
static int apply_batch(struct apply *a, const struct plan *plan)
{
    size_t n = 0;

    while (n < plan->n_actions && plan->actions[n].phase < PHASE_TAKEOVER)
        n++;
    if (n == 0)
        return 0;
    struct job *j = idle_job(a, n);
    if (j) {
        fill(j, plan->actions, n);
        if (submit(j) == 0)
            return 0;
        job_free(j); /* the waiting worker has died */
    }
    int r = job_new(a, n > CAPACITY ? n : CAPACITY, &j);
    if (r < 0)
        return r;
    fill(j, plan->actions, n);
    return submit(j);
}

bool apply_batch_is_running(const struct apply *a)
{
    for (const struct job *j = a->jobs; j; j = j->next)
        if (j->busy && !j->cancelled && !j->isolated)
            return true;
    return false;
}

static size_t isolated_running(const struct apply *a)
{
    size_t n = 0;

    for (const struct job *j = a->jobs; j; j = j->next)
        n += j->isolated && !j->overdue;
    return n;
}

/* Who had the device is on record before anything is done that may outlive us. */
static void note_previous(struct apply *a, const struct op *op)
{
    struct record *r = records_find(a->records, op->addr);

    if (!r || op->kind != ACTION_UNBIND || driver_is_vfio(op->driver))
        return;
    r->touched = true;
    free(r->previous_driver);
    r->previous_driver = strdup(op->driver);
}

/* What may block has a worker of its own, which is to be on record likewise before it begins. */
static int prepare_isolated(struct apply *a, const struct action *actions, size_t n)
{
    struct job *j;
    int r = job_new(a, n, &j);

    if (r < 0)
        return r;
    j->isolated = true;
    fill(j, actions, n);
    const struct op *ops = worker_ops(j->worker, &n);
    for (size_t i = 0; i < n; i++) {
        note_previous(a, &ops[i]);
        if (ops[i].kind == ACTION_UNBIND)
            r = held_workers_add(&a->held, &ops[i].addr, worker_pid(j->worker));
    }
    if (r < 0) {
        job_free(j);
        return r;
    }
    (void)results_begin(a->records, ops, n);
    claim(j);
    j->waiting = true;
    return 0;
}

static struct job *last_waiting(const struct apply *a)
{
    struct job *last = NULL;

    for (struct job *j = a->jobs; j; j = j->next)
        if (j->waiting)
            last = j;
    return last;
}

/* Not by a deferred source: that would come before all others of its priority each time. */
static int start_soon(struct apply *a)
{
    int r = sd_event_source_set_time(a->starter, 0);

    return r < 0 ? r : sd_event_source_set_enabled(a->starter, SD_EVENT_ONESHOT);
}

/* One job, the oldest, in each turn of the loop: the kernel runs what was woken before what woke
 * it, so callers on the bus would wait for all jobs at once, until the last is done or sleeps. */
static int on_start(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct apply *a = userdata;
    struct job *j = last_waiting(a);

    (void)source;
    (void)usec;
    if (!j)
        return 0;
    j->waiting = false;
    (void)worker_submit(j->worker); /* one that has died says so by its descriptor */
    arm_timer(a);
    return start_soon(a);
}

/* The file is written once for all that begin now. */
static int start_waiting(struct apply *a)
{
    const struct job *j = last_waiting(a);
    size_t n;

    if (!j)
        return 0;
    save_or_say(a, &worker_ops(j->worker, &n)[0]);
    return start_soon(a);
}

/* What begins with ACTION_HOLD is a group's business, anything else a device's. */
static bool belong_together(const struct action *x, const struct action *y)
{
    if (x->phase != y->phase)
        return false;
    if (x->kind == ACTION_HOLD)
        return x->group == y->group && y->kind != ACTION_HOLD;
    return pci_addr_cmp(x->addr, y->addr) == 0;
}

static int apply_isolated(struct apply *a, const struct plan *plan)
{
    int r = 0;

    for (size_t i = 0, n; r >= 0 && i < plan->n_actions; i += n) {
        const struct action *first = &plan->actions[i];
        for (n = 1; i + n < plan->n_actions && belong_together(first, first + n); n++)
            ;
        if (first->phase < PHASE_TAKEOVER)
            continue;
        if (isolated_running(a) >= ISOLATED_MAX)
            break;
        r = prepare_isolated(a, first, n);
    }
    int started = start_waiting(a);
    return r < 0 ? r : started;
}

int apply_plan(struct apply *a, const struct plan *plan)
{
    int r = apply_batch(a, plan);

    if (r >= 0 && !apply_batch_is_running(a))
        r = apply_isolated(a, plan);
    arm_timer(a);
    return r;
}

/* -- start and end -- */

static int on_old_worker_ended(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct job *j = userdata;
    struct apply *a = j->apply;
    struct op op = j->hanging;

    (void)source;
    (void)fd;
    (void)events;
    held_workers_drop(&a->held, j->pid);
    job_free(j);
    (void)apply_save(a);
    if (action_is_fence(op.kind)) {
        a->records->fence.hanging--;
        a->done(a->userdata, NULL, 0);
        return 0;
    }
    release_device(a, op.addr);
    a->done(a->userdata, &op.addr, 1);
    return 0;
}

/* An earlier run's worker still hangs in the kernel: nothing may be written to its device. */
static int adopt(struct apply *a, const struct held_worker *w)
{
    struct record *record = w->fence ? NULL : records_get(a->records, w->addr);
    int fd = pidfd_open(w->pid, 0);
    int r;

    if (fd < 0)
        return errno == ESRCH ? 0 : -errno;
    struct job *j = record || w->fence ? job_add(a) : NULL;
    if (!j) {
        close(fd);
        return -ENOMEM;
    }
    j->busy = j->isolated = j->cancelled = j->overdue = true;
    j->pid = w->pid;
    j->hanging = (struct op){.addr = w->addr, .kind = w->fence ? ACTION_NEW_ID : ACTION_UNBIND};
    if (record)
        record->in_flight = record->stuck = true;
    else
        a->records->fence.hanging++;
    r = sd_event_add_io(a->event, &j->source, fd, EPOLLIN, on_old_worker_ended, j);
    if (r < 0)
        close(fd);
    else
        r = sd_event_source_set_io_fd_own(j->source, true);
    return r;
}

int apply_new(sd_event *event, int root_fd, struct records *records, apply_done done,
              void *userdata, struct apply **ret)
{
    struct apply *a = calloc(1, sizeof(*a));
    struct job *first;

    if (!a)
        return -ENOMEM;
    *a = (struct apply){.event = event,
                        .root_fd = root_fd,
                        .records = records,
                        .done = done,
                        .userdata = userdata,
                        .timeout_usec = 10 * USEC_PER_SEC};
    int r = job_new(a, CAPACITY, &first);
    if (r >= 0)
        r = sd_event_add_time(event, &a->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, a);
    if (r >= 0)
        r = sd_event_add_time(event, &a->starter, CLOCK_MONOTONIC, UINT64_MAX, 0, on_start, a);
    if (r >= 0 && held_load(root_fd, records, &a->held) < 0)
        journal_plain(LOG_WARNING, "cannot read /run/vfio-bindd/state: the past is not known");
    for (size_t i = 0; r >= 0 && i < a->held.n; i++)
        r = adopt(a, &a->held.v[i]);
    if (r < 0) {
        apply_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

void apply_free(struct apply *a)
{
    if (!a)
        return;
    while (a->jobs)
        job_free(a->jobs);
    sd_event_source_disable_unref(a->timer);
    sd_event_source_disable_unref(a->starter);
    held_workers_done(&a->held);
    free(a);
}

int apply_save(struct apply *a)
{
    return held_save(a->root_fd, a->records, &a->held);
}

static bool is_to_withdraw(const struct fence_entry *e)
{
    return e->narrowed && e->state != FENCE_OPEN;
}

int apply_withdraw(struct apply *a)
{
    const struct fence *f = &a->records->fence;
    struct job *j;
    size_t n = 0;

    (void)sd_event_source_set_enabled(a->starter, SD_EVENT_OFF);
    for (size_t i = 0; i < f->n; i++)
        n += is_to_withdraw(&f->v[i]);
    if (n == 0)
        return 0;
    int r = job_new(a, n, &j);
    if (r < 0)
        return r;
    j->isolated = true;
    struct op *op = worker_room(j->worker, n);
    for (size_t i = 0; i < f->n; i++)
        if (is_to_withdraw(&f->v[i]))
            make_op(&(struct action){.kind = ACTION_REMOVE_ID, .fence = f->v[i].id}, op++);
    r = submit(j);
    if (r < 0)
        job_free(j);
    return r < 0 ? r : 1;
}
