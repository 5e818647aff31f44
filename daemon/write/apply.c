/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/apply.h"

#include <errno.h>
#include <syslog.h>

#include "record-file.h"
#include "tell/journal.h"
#include "write/jobs.h"
#include "write/record-ops.h"

#define ISOLATED_MAX APPLY_REBINDS_MAX

struct apply {
    int root_fd;
    struct records *records;
    struct recorded_workers workers;
    struct jobs *jobs;
    apply_done done;
    void *userdata;
};

/* -- what is under way -- */

bool apply_is_busy(const struct apply *a)
{
    for (const struct job *j = jobs_list(a->jobs); j; j = j->next)
        if (j->busy && !j->overdue)
            return true;
    return false;
}

bool apply_is_ending(const struct apply *a)
{
    for (const struct job *j = jobs_list(a->jobs); j; j = j->next)
        if (j->busy && !j->waiting && !j->cancelled)
            return true;
    return false;
}

bool apply_batch_is_running(const struct apply *a)
{
    for (const struct job *j = jobs_list(a->jobs); j; j = j->next)
        if (j->busy && !j->cancelled && !j->isolated)
            return true;
    return false;
}

static size_t isolated_running(const struct apply *a)
{
    size_t n = 0;

    for (const struct job *j = jobs_list(a->jobs); j; j = j->next)
        n += j->isolated && !j->overdue;
    return n;
}

/* -- jobs that are done -- */

static void tell_device(struct apply *a, struct pci_addr addr, enum record_event_kind kind)
{
    const struct record_event e = {.kind = kind};

    records_apply(a->records, addr, &e);
}

/* Notes that no worker has the device any more; false: none had it. */
static bool release_device(struct apply *a, struct pci_addr addr)
{
    const struct record *r = records_find(a->records, addr);

    if (!r || !record_is_in_hand(r))
        return false;
    tell_device(a, addr, RECORD_EVENT_RETURNED);
    return true;
}

/* Is this the operation at which the job hangs, or one for the same device? */
static bool is_hanging(const struct job *j, const struct op *op)
{
    if (action_is_dynid(op->kind) || action_is_dynid(j->hanging.kind))
        return op->kind == j->hanging.kind && streq(op->driver, j->hanging.driver);
    return pci_addr_cmp(op->addr, j->hanging.addr) == 0;
}

/* Is it time to take the operation's result? All results of a normal job are taken at its end. When
 * a job hangs, all results are taken at once, except those of the device at which it hangs; these
 * are taken when its worker has `ended`. */
static bool is_due(const struct job *j, const struct op *op, bool ended)
{
    return !j->cancelled || ended == is_hanging(j, op);
}

static bool release_op(struct apply *a, const struct op *op)
{
    return !action_is_dynid(op->kind) && release_device(a, op->addr);
}

/* Of what was not done, is it the first operation of its device, or the first entry? A death counts
 * as one failure, however many operations were left. */
static bool is_first_undone(const struct op *ops, size_t i)
{
    const bool dynid = action_is_dynid(ops[i].kind);

    for (size_t k = 0; k < i; k++)
        if (ops[k].result == OP_NOT_DONE && action_is_dynid(ops[k].kind) == dynid &&
            (dynid || pci_addr_cmp(ops[k].addr, ops[i].addr) == 0))
            return false;
    return true;
}

/* Takes the results that are due, and frees their devices for other jobs. */
static void take_results(void *userdata, struct job *j, bool ended)
{
    struct apply *a = userdata;
    size_t n, n_addrs = 0;
    const struct op *ops = worker_ops(j->worker, &n);

    for (size_t i = 0; i < n; i++) {
        if (!is_due(j, &ops[i], ended))
            continue;
        if (!(ended && j->cancelled && ops[i].kind == ACTION_NEW_ID)) /* recorded when it hung */
            record_ops_result(a->records, &ops[i], worker_found(j->worker, i));
        if (ended && !j->cancelled && is_first_undone(ops, i))
            record_ops_death(a->records, &ops[i]);
    }
    record_ops_give_up_group(a->records, ops, n, n > 0 ? worker_found(j->worker, 0) : "");
    for (size_t i = 0; i < n; i++)
        if (is_due(j, &ops[i], ended) && release_op(a, &ops[i]))
            j->addrs[n_addrs++] = ops[i].addr;
    if (ended && j->cancelled && action_is_dynid(j->hanging.kind))
        a->records->dynids.hanging--;
    if (j->cancelled ? ended : j->isolated)
        (void)apply_save(a);
    a->done(a->userdata, j->addrs, n_addrs);
}

static void on_done(void *userdata, struct job *j, bool ended)
{
    struct apply *a = userdata;

    recorded_workers_drop(&a->workers, worker_pid(j->worker));
    take_results(a, j, ended);
}

/* -- jobs that hang -- */

/* Only the device at which the job hangs stays with its worker. */
static void on_hangs(void *userdata, struct job *j)
{
    struct apply *a = userdata;
    const struct op *op = &j->hanging;
    bool dynid = action_is_dynid(op->kind);

    if (dynid) {
        record_ops_hanging_entry(a->records, op);
        a->records->dynids.hanging++;
    }
    if (!j->isolated) { /* isolated workers are recorded before they begin */
        if (!recorded_workers_move(&a->workers, worker_pid(j->worker), dynid ? NULL : &op->addr))
            (void)recorded_workers_add(&a->workers, dynid ? NULL : &op->addr,
                                       worker_pid(j->worker));
        (void)apply_save(a);
    }
    take_results(a, j, false);
}

static void on_overdue(void *userdata, struct job *j)
{
    struct apply *a = userdata;

    if (action_is_dynid(
            j->hanging.kind)) { /* the entry is in the table nevertheless: no device is affected */
        a->done(a->userdata, NULL, 0);
        return;
    }
    tell_device(a, j->hanging.addr, RECORD_EVENT_HANGS);
    a->done(a->userdata, &j->hanging.addr, 1);
}

static void on_old_ended(void *userdata, const struct job *j)
{
    struct apply *a = userdata;

    recorded_workers_drop(&a->workers, j->pid);
    (void)apply_save(a);
    if (action_is_dynid(j->hanging.kind)) {
        a->records->dynids.hanging--;
        a->done(a->userdata, NULL, 0);
        return;
    }
    release_device(a, j->hanging.addr);
    a->done(a->userdata, &j->hanging.addr, 1);
}

/* -- plans -- */

/* The argument of the operation as text: a driver, a group or an entry. */
static const char *op_text(struct job *j, const struct action *action)
{
    char group[16];

    if (action_is_dynid(action->kind))
        return worker_text(j->worker, dynid_text(action->dynid).s);
    if (action->kind != ACTION_HOLD)
        return worker_text(j->worker, action->driver);
    snprintf(group, sizeof(group), "%u", action->group);
    return worker_text(j->worker, group);
}

static void make_op(const struct apply *a, struct job *j, const struct action *action,
                    struct op *ret)
{
    const struct record *r =
        action->kind == ACTION_OFFER ? records_find(a->records, action->addr) : NULL;

    *ret = (struct op){.addr = action->addr,
                       .kind = action->kind,
                       .driver = op_text(j, action),
                       .learned = action->learned,
                       .narrowed = action->narrowed,
                       .sets_autoprobe = action->sets_autoprobe,
                       .vfs = action->vfs,
                       .vfs_there = action->vfs_there,
                       .order = r ? r->offered_to : a->records->drivers,
                       .result = OP_NOT_DONE};
}

/* Writes the operations of a job into its shared memory. */
static void fill(const struct apply *a, struct job *j, const struct action *actions, size_t n)
{
    struct op *ops = worker_room(j->worker, n);

    for (size_t i = 0; i < n; i++)
        make_op(a, j, &actions[i], &ops[i]);
}

static void save_or_say(struct apply *a, const struct op *op)
{
    if (apply_save(a) < 0)
        journal_plain(
            LOG_WARNING,
            "cannot write /run/vfio-bindd/state: after a restart the state of %s would be unknown",
            action_is_dynid(op->kind) ? DYNID_DRIVER : pci_addr_text(op->addr).s);
}

/* From now on no other job may use these devices. */
static void claim(struct apply *a, struct job *j)
{
    size_t n;
    const struct op *ops = worker_ops(j->worker, &n);

    j->busy = true;
    for (size_t i = 0; i < n; i++)
        if (!action_is_dynid(ops[i].kind))
            tell_device(a, ops[i].addr, RECORD_EVENT_CLAIMED);
}

/* An entry makes the kernel probe every unbound device that matches, which may block. After a
 * SIGKILL, the next run must know that this worker is still active; otherwise it would take the
 * devices that the worker's entry catches. */
static void write_down_worker_of_entries(struct apply *a, const struct job *j)
{
    size_t n;
    const struct op *ops = worker_ops(j->worker, &n);

    for (size_t i = 0; i < n; i++)
        if (action_is_dynid(ops[i].kind)) {
            (void)recorded_workers_add(&a->workers, NULL, worker_pid(j->worker));
            return;
        }
}

static int submit(struct apply *a, struct job *j)
{
    size_t n;
    const struct op *ops = worker_ops(j->worker, &n);

    write_down_worker_of_entries(a, j);
    if (record_ops_begin(a->records, ops, n))
        save_or_say(a, &ops[0]);
    int r = worker_submit(j->worker);
    if (r < 0) {
        a->records->dynids.in_flight = false;
        recorded_workers_drop(&a->workers, worker_pid(j->worker));
    } else {
        claim(a, j);
    }
    return r;
}

/* All of these actions go into one job, however many there are: so every override is written before
 * the first bind. */
static int apply_batch(struct apply *a, const struct plan *plan)
{
    size_t n = 0;

    while (n < plan->n_actions && plan->actions[n].phase < PHASE_REBIND)
        n++;
    if (n == 0)
        return 0;
    struct job *j = jobs_idle(a->jobs, n);
    if (j) {
        fill(a, j, plan->actions, n);
        if (submit(a, j) == 0)
            return 0;
        j->ended =
            true; /* the idle worker has died; its socket shows that, and then the job is freed */
    }
    int r = job_new(a->jobs, n, &j);
    if (r < 0)
        return r;
    fill(a, j, plan->actions, n);
    return submit(a, j);
}

/* Two members of a group are not bound at the same time: Linux 6.1 warns when two probes make the
 * VFIO group (vfio_create_group()), and some hosts panic at a warning. A job past its deadline does
 * not count. */
static bool group_is_at_work(const struct apply *a, uint32_t group)
{
    for (const struct job *j = jobs_list(a->jobs); j; j = j->next)
        if (j->isolated && j->busy && !j->overdue && j->group == group)
            return group != NO_GROUP;
    return false;
}

/* Operations that may block get a worker of their own, which is recorded before it begins. */
static int prepare_isolated(struct apply *a, const struct action *actions, size_t n)
{
    struct job *j;
    int r = job_new(a->jobs, n, &j);

    if (r < 0)
        return r;
    j->isolated = true;
    j->group = actions[0].group;
    fill(a, j, actions, n);
    const struct op *ops = worker_ops(j->worker, &n);
    for (size_t i = 0; r >= 0 && i < n; i++)
        if (ops[i].kind == ACTION_UNBIND || ops[i].kind == ACTION_SET_VFS)
            r = recorded_workers_add(&a->workers, &ops[i].addr, worker_pid(j->worker));
    if (r < 0) {
        recorded_workers_drop(&a->workers, worker_pid(j->worker));
        job_free(j);
        return r;
    }
    (void)record_ops_begin(a->records, ops, n);
    claim(a, j);
    j->waiting = true;
    return 0;
}

/* Starts the waiting jobs. The file is written once for all of them. */
static int start_waiting(struct apply *a)
{
    const struct job *j = jobs_list(a->jobs);
    size_t n;

    while (j && !j->waiting)
        j = j->next;
    if (!j)
        return 0;
    save_or_say(a, &worker_ops(j->worker, &n)[0]);
    return jobs_start(a->jobs);
}

/* Do both actions belong into the same job? With ACTION_HOLD, all of one IOMMU group do, otherwise
 * all of one device. */
static bool belong_together(const struct action *x, const struct action *y)
{
    if (x->phase != y->phase)
        return false;
    if (x->kind == ACTION_HOLD)
        return x->group == y->group && y->kind != ACTION_HOLD;
    return pci_addr_cmp(x->addr, y->addr) == 0;
}

static bool is_in(const uint32_t *groups, size_t n, uint32_t group)
{
    for (size_t i = 0; i < n; i++)
        if (groups[i] == group)
            return group != NO_GROUP;
    return false;
}

size_t apply_next_rebinds(const struct apply *a, const struct plan *plan,
                          struct pci_addr ret[static APPLY_REBINDS_MAX])
{
    uint32_t groups[APPLY_REBINDS_MAX];
    size_t n = 0;

    if (plan->n_actions == 0 || plan->actions[0].phase < PHASE_REBIND || apply_batch_is_running(a))
        return 0;
    for (size_t i = 0; i < plan->n_actions && n + isolated_running(a) < ISOLATED_MAX; i++) {
        const struct action *action = &plan->actions[i];
        if (action->phase != PHASE_REBIND || action->kind != ACTION_UNBIND ||
            driver_is_vfio(action->driver) || group_is_at_work(a, action->group) ||
            is_in(groups, n, action->group))
            continue;
        groups[n] = action->group;
        ret[n++] = action->addr;
    }
    return n;
}

static int apply_isolated(struct apply *a, const struct plan *plan)
{
    int r = 0;

    for (size_t i = 0, n; r >= 0 && i < plan->n_actions; i += n) {
        const struct action *first = &plan->actions[i];
        for (n = 1; i + n < plan->n_actions && belong_together(first, first + n); n++)
            ;
        if (first->phase < PHASE_REBIND || group_is_at_work(a, first->group))
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
    jobs_watch(a->jobs);
    return r;
}

/* -- start and end -- */

/* A worker of an earlier run still hangs in the kernel: nothing may be written to its device. */
static int adopt(struct apply *a, const struct recorded_worker *w)
{
    bool known = w->dynid || records_get(a->records, w->addr);
    struct job *j;
    int r = known ? job_new_old(a->jobs, w->pid, &j) : -ENOMEM;

    if (r < 0)
        return r == -ESRCH ? 0 : r;
    j->hanging = (struct op){
        .addr = w->addr, .kind = w->dynid ? ACTION_NEW_ID : ACTION_UNBIND, .driver = ""};
    if (w->dynid)
        a->records->dynids.hanging++;
    else
        tell_device(a, w->addr, RECORD_EVENT_HANGS);
    return 0;
}

/* If the state file exists and cannot be read, the start fails. Otherwise released devices would be
 * taken again, and the file overwritten. */
static int load_records(struct apply *a)
{
    int r = record_file_load(a->root_fd, a->records, &a->workers);

    if (r < 0)
        journal_plain(
            LOG_ERR,
            "cannot read /run/vfio-bindd/state (%s): it is unknown which devices were released and "
            "which are ours, so no device is touched",
            r == -EPERM
                ? "not only root can write to it; if you trust its contents, run \"chown root:root "
                  "/run/vfio-bindd/state && chmod 600 /run/vfio-bindd/state\", or else remove it"
                : strerror(-r));
    else if (a->workers.format > RECORD_FILE_FORMAT)
        journal_plain(
            LOG_WARNING,
            "/run/vfio-bindd/state was written by a later version of vfio-bindd (format %u, this "
            "version supports %d): entries that this version does not understand are dropped",
            a->workers.format, RECORD_FILE_FORMAT);
    return r;
}

int apply_new(sd_event *event, int root_fd, struct records *records, apply_done done,
              void *userdata, struct apply **ret)
{
    struct apply *a = calloc(1, sizeof(*a));
    const struct jobs_handler handler = {a, on_done, on_hangs, on_overdue, on_old_ended};

    if (!a)
        return -ENOMEM;
    *a = (struct apply){.root_fd = root_fd, .records = records, .done = done, .userdata = userdata};
    int r = jobs_new(event, root_fd, &handler, &a->jobs);
    if (r >= 0)
        r = load_records(a);
    for (size_t i = 0; r >= 0 && i < a->workers.n; i++)
        r = adopt(a, &a->workers.v[i]);
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
    jobs_free(a->jobs);
    recorded_workers_done(&a->workers);
    free(a);
}

void apply_set_timeout(struct apply *a, uint64_t usec)
{
    jobs_set_timeout(a->jobs, usec);
}

int apply_save(struct apply *a)
{
    return record_file_save(a->root_fd, a->records, &a->workers);
}

static bool is_to_withdraw(const void *userdata, const struct dynid_entry *e)
{
    (void)userdata;
    return e->narrowed;
}

int apply_withdraw(struct apply *a)
{
    const struct dynids *f = &a->records->dynids;
    CLEANUP_FREE const struct dynid_entry **removals = calloc(f->n + 1, sizeof(*removals));
    struct job *j;

    jobs_stop(a->jobs);
    if (apply_batch_is_running(a)) /* its entries would be written after they were removed */
        return -EAGAIN;
    if (!removals)
        return -ENOMEM;
    size_t n = dynids_removals(f, is_to_withdraw, NULL, removals);
    if (n == 0)
        return 0;
    int r = job_new(a->jobs, n, &j);
    if (r < 0)
        return r;
    j->isolated = true;
    j->group = NO_GROUP;
    struct op *op = worker_room(j->worker, n);
    for (size_t i = 0; i < n; i++)
        make_op(a, j, &(struct action){.kind = ACTION_REMOVE_ID, .dynid = &removals[i]->id}, op++);
    r = submit(a, j);
    if (r < 0)
        job_free(j);
    return r;
}
