/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/util.h"

#define NONE SIZE_MAX

/* Shared between daemon and worker. Only one side writes at a time: the daemon between jobs, the
 * worker during a job. The daemon also reads `current` and `since_usec` during a job. */
struct shared_job {
    size_t n, n_texts;
    _Atomic size_t current;
    _Atomic uint64_t since_usec;
    _Atomic bool cancelled; /* set by the daemon: do nothing more */
    struct op ops[];
};

/* These arrays follow the operations in memory; unused parts cost nothing. */
typedef char op_text[DRIVER_NAME_MAX];
typedef char found_text[FOUND_MAX]; /* see struct perform_state */

struct worker {
    pid_t pid;
    int fd;
    size_t capacity;
    struct shared_job *job;
    op_text *texts;
    found_text *found; /* one for each operation that looks for users */
};

static size_t job_size(size_t capacity)
{
    return sizeof(struct shared_job) +
           capacity * (sizeof(struct op) + sizeof(op_text) + sizeof(found_text));
}

/* -- in the worker -- */

/* Operation k has failed: must i be skipped? A new dynamic ID is not written if a device that it
 * would take could not get its placeholder (unless the device is gone). After a failed removal, no
 * other entry is removed, since the kernel would remove the wrong one, and the same entry is not
 * written again. */
static bool depends_on(const struct op *i, const struct op *k)
{
    if (k->kind == ACTION_HOLD)
        return true;
    if (k->kind == ACTION_REMOVE_ID)
        return i->kind == ACTION_REMOVE_ID ||
               (i->kind == ACTION_NEW_ID && streq(i->driver, k->driver));
    if (i->kind == ACTION_NEW_ID)
        return k->kind == ACTION_SET_PLACEHOLDER && k->result != -ENOENT && k->result != -ENODEV;
    return !action_is_dynid(i->kind) && !action_is_dynid(k->kind) &&
           pci_addr_cmp(k->addr, i->addr) == 0;
}

/* Has an operation of this job failed that this one depends on? The operations of a device are in
 * order, but not adjacent. */
static bool failed_before(const struct shared_job *j, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (j->ops[k].result < 0 && depends_on(&j->ops[i], &j->ops[k]))
            return true;
    return false;
}

/* Has a native driver already refused the device in this job? A second probe would only repeat
 * that, and a driver may take long to refuse. */
static bool is_probed_already(const struct shared_job *j, size_t i)
{
    for (size_t k = 0; k < i && j->ops[i].kind == ACTION_PROBE; k++)
        if (j->ops[k].asked && pci_addr_cmp(j->ops[k].addr, j->ops[i].addr) == 0)
            return true;
    return false;
}

/* A device must not be left without a driver, or without the virtual functions that are being
 * changed, because the daemon exits: a job that has begun with this is finished. */
static void outlive_daemon(bool yes)
{
    prctl(PR_SET_PDEATHSIG, yes ? 0 : SIGKILL);
}

/* What drivers do at a rebind takes long and is not urgent. With the daemon's own priority, sixteen
 * rebinds would delay the daemon, and so hot-plug. */
static void step_back(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 0);
}

/* The operation is published before `cancelled` is read. The daemon sets `cancelled` and then reads
 * the operation, so it sees either that the operation has begun, or that it never will. */
static bool may_begin(struct shared_job *j, size_t i)
{
    atomic_store(&j->since_usec, now_usec());
    atomic_store(&j->current, i);
    return !atomic_load(&j->cancelled);
}

static bool looks_for_users(const struct op *op)
{
    return op->kind == ACTION_CHECK || op->kind == ACTION_HOLD || op->kind == ACTION_SET_VFS;
}

static void run_job(int root_fd, const struct worker *w)
{
    struct shared_job *j = w->job;
    bool any_failed = false;
    struct perform_state state = PERFORM_STATE_NONE;

    for (size_t i = 0; i < j->n && may_begin(j, i); i++) {
        struct op *op = &j->ops[i];
        if (op->kind == ACTION_UNBIND || op->kind == ACTION_SET_VFS) {
            outlive_daemon(true);
            step_back();
        }
        state.found = w->found[i];
        if (looks_for_users(op))
            *state.found = '\0';
        if (any_failed && failed_before(j, i))
            op->result = OP_SKIPPED;
        else
            op->result = is_probed_already(j, i) ? 0 : perform(root_fd, op, &state);
        any_failed = any_failed || op->result < 0;
        op->asked = state.asked;
        state.asked = false;
    }
    perform_state_done(&state); /* closing a device resets it, which may take long: still watched */
    atomic_store(&j->current, NONE);
}

/* Closes everything inherited from the daemon except the root directory and the job's socket. */
static void keep_only(int root_fd, int fd)
{
    int low = root_fd < fd ? root_fd : fd, high = root_fd < fd ? fd : root_fd;

    if (low > 0)
        close_range(0, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0U, 0);
}

static _Noreturn void worker_main(pid_t parent, int root_fd, int fd, const struct worker *w)
{
    sigset_t none;
    char byte;

    prctl(PR_SET_NAME, "vfio-bindd-work");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* the daemon died before the line above */
        _exit(0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* "systemctl kill" and ^C on a terminal reach every process, but the daemon decides when a
     * worker ends. */
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    keep_only(root_fd, fd);
    while (read(fd, &byte, 1) == 1) {
        run_job(root_fd, w);
        outlive_daemon(false);
        if (getppid() != parent) /* the daemon died meanwhile */
            break;
        if (write(fd, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

/* -- in the daemon -- */

int worker_new(int root_fd, size_t capacity, struct worker **ret)
{
    struct worker *w = calloc(1, sizeof(*w));
    int sockets[2], r;

    if (!w)
        return -ENOMEM;
    w->capacity = capacity;
    w->job =
        mmap(NULL, job_size(capacity), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w->job == MAP_FAILED) {
        r = -errno;
        free(w);
        return r;
    }
    w->job->current = NONE;
    w->texts = (void *)&w->job->ops[capacity];
    w->found = (void *)&w->texts[capacity];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0) {
        r = -errno;
        goto fail;
    }
    pid_t parent = getpid();
    w->pid = fork();
    if (w->pid == 0)
        worker_main(parent, root_fd, sockets[1], w);
    r = -errno;
    close(sockets[1]);
    if (w->pid < 0) {
        close(sockets[0]);
        goto fail;
    }
    w->fd = sockets[0];
    *ret = w;
    return 0;

fail:
    munmap(w->job, job_size(capacity));
    free(w);
    return r;
}

/* Sends no signal: the PID may belong to another process by now, and a worker that hangs in the
 * kernel would not react anyway. */
bool worker_cancel(struct worker *w, struct op *ret)
{
    uint64_t since;

    atomic_store(&w->job->cancelled, true);
    const struct op *op = worker_current(w, &since);
    if (op)
        *ret = *op;
    return op != NULL;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    close(w->fd);
    munmap(w->job, job_size(w->capacity));
    free(w);
}

size_t worker_capacity(const struct worker *w)
{
    return w->capacity;
}

pid_t worker_pid(const struct worker *w)
{
    return w->pid;
}

int worker_fd(const struct worker *w)
{
    return w->fd;
}

struct op *worker_room(struct worker *w, size_t n)
{
    if (n > w->capacity)
        return NULL;
    w->job->n = n;
    w->job->n_texts = 0;
    atomic_store(&w->job->cancelled,
                 false); /* a cancellation that came after the end of the last job */
    return w->job->ops;
}

const char *worker_text(struct worker *w, const char *text)
{
    /* From the end, since it is usually the last one. */
    for (size_t i = w->job->n_texts; i-- > 0;)
        if (strncmp(w->texts[i], text, DRIVER_NAME_MAX - 1) == 0)
            return w->texts[i];
    assert(w->job->n_texts < w->capacity);
    char *new = w->texts[w->job->n_texts++];
    snprintf(new, DRIVER_NAME_MAX, "%s", text);
    return new;
}

int worker_submit(struct worker *w)
{
    return send(w->fd, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int worker_check(struct worker *w)
{
    char byte;
    ssize_t n = recv(w->fd, &byte, 1, MSG_DONTWAIT);

    if (n == 1)
        return 1;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

const struct op *worker_ops(const struct worker *w, size_t *ret_n)
{
    *ret_n = w->job->n;
    return w->job->ops;
}

const char *worker_found(const struct worker *w, size_t i)
{
    const struct op *op = &w->job->ops[i];

    return looks_for_users(op) && op->result < 0 && op->result != OP_SKIPPED ? w->found[i] : "";
}

const struct op *worker_current(const struct worker *w, uint64_t *ret_since_usec)
{
    size_t i = atomic_load(&w->job->current);

    if (i >= w->job->n)
        return NULL;
    *ret_since_usec = atomic_load(&w->job->since_usec);
    return &w->job->ops[i];
}
