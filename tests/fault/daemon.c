/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "loop/manager.h"
#include "tell/journal.h"

#define SOON_USEC 30000 /* from then on it waits for a hanging call's deadline: look less often */
#define SLOW_LOOK_USEC 10000
#define BLOCKED_USEC 20000 /* after that, a call that has not ended waits for one that hangs */
#define DEADLINE_SLACK_USEC (10 * 1000000ULL)

bool failed(struct run *r, const char *format, ...)
{
    va_list args;

    if (*r->outcome->problem)
        return false;
    va_start(args, format);
    vsnprintf(r->outcome->problem, PROBLEM_SIZE, format, args);
    va_end(args);
    return false;
}

int open_notify(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", host.path);
    return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 ? fd : -1;
}

void take_notifications(struct run *r)
{
    char text[1024];
    ssize_t n;

    while ((n = recv(r->notify_fd, text, sizeof(text) - 1, 0)) > 0) {
        text[n] = '\0';
        if (strstr(text, "READY=1") && r->ready_usec == 0)
            r->ready_usec = now_usec();
    }
}

static _Noreturn void be_the_daemon(void)
{
    char notify[80];
    int log = openat(host.root_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(notify, sizeof(notify), "%s/notify", host.path);
    setenv("NOTIFY_SOCKET", notify, 1);
    unsetenv("JOURNAL_STREAM");
    if (log >= 0)
        dup2(log, STDERR_FILENO);
    atomic_store(&host.shared->daemon, getpid());
    struct manager_options options = {.root_fd = rootfs_open_root(host.path)};
    journal_open(false);
    exit(manager_run(&options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

bool start_daemon(struct run *r)
{
    struct shared *s = host.shared;

    s->updates = 0;
    atomic_store(&s->sequence, 0);
    memset(s->cards, 0, sizeof(s->cards));
    r->ready_usec = 0;
    r->start_usec = now_usec();
    r->daemon = fork();
    if (r->daemon == 0)
        be_the_daemon();
    return r->daemon > 0 || failed(r, "cannot fork: %m");
}

/* Reaps processes that have ended. Returns whether the daemon is among them. Orphaned workers
 * become our children. */
static bool has_died(const struct run *r, int *ret_status)
{
    pid_t pid;

    while ((pid = waitpid(-1, ret_status, WNOHANG)) > 0)
        if (pid == r->daemon)
            return true;
    return false;
}

/* Waits for workers that are inside a call: they live until the call ends. Calls that hang are not
 * waited for, nor those that wait for them. */
static bool wait_for_calls(struct run *r)
{
    uint64_t start = now_usec();

    for (size_t i = 0; i < host.shared->n_calls; i++) {
        const struct call *c = &host.shared->calls[i];
        while (c->result == OP_NOT_DONE) {
            uint64_t waited = now_usec() - start;
            if (waited > BLOCKED_USEC && something_hangs())
                break;
            if (waited > PATIENCE_USEC)
                return failed(r, "%s %s does not end", action_word(c->kind), c->address);
            usleep(LOOK_USEC);
        }
    }
    return true;
}

/* Waits for the dead daemon's lock. A worker that was just forked has not closed it yet, and is
 * about to die. */
static bool wait_for_lock(struct run *r)
{
    CLEANUP_CLOSE int fd =
        openat(host.root_fd, "run/vfio-bindd/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint64_t start = now_usec();

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (now_usec() - start > PATIENCE_USEC)
            return failed(r, "a dead daemon's lock is held: %m");
        usleep(LOOK_USEC);
    }
    return true;
}

/* The override is written before the file, since a driver's probe does not wait. Killed in between,
 * the daemon does not know afterwards that the device came after the boot. */
static void note_unsaved(struct run *r)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;

    if (rootfs_read_file(host.root_fd, "run/vfio-bindd/state", 1 << 20, &text, &size) < 0)
        return;
    for (size_t i = 0; i < host.n_cards; i++)
        r->unsaved[i] = r->fresh[i] && !strstr(text, host.script->cards[i].address);
}

/* Starts the daemon again after the kill that belongs to the run. */
static bool restart(struct run *r)
{
    struct shared *s = host.shared;

    r->restarted = true;
    note_unsaved(r);
    if (!wait_for_calls(r) || !wait_for_lock(r))
        return false;
    for (unsigned i = 0; i < atomic_load(&s->asked); i++)
        if (atomic_load(&s->answers[i]) == NOT_ANSWERED)
            atomic_store(&s->answers[i], -ECONNRESET);
    return start_daemon(r);
}

bool look_after_daemon(struct run *r)
{
    int status;

    take_notifications(r);
    if (!has_died(r, &status))
        return true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && fault_kills(&r->fault) &&
        host.shared->fired && !r->restarted)
        return restart(r);
    return failed(r, WIFSIGNALED(status) ? "the daemon died of signal %d" : "the daemon exited: %d",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

bool wait_until_quiet(struct run *r, const char *when)
{
    uint64_t start = now_usec();
    const char *why;

    for (;;) {
        if (!look_after_daemon(r))
            return false;
        display_take(&r->display);
        if (is_quiet(&r->display, &why))
            break;
        uint64_t waited = now_usec() - start;
        if (waited > PATIENCE_USEC)
            return failed(r, "%s: it does not come to rest: %s", when, why);
        usleep(waited < SOON_USEC ? LOOK_USEC : SLOW_LOOK_USEC);
    }
    memset(r->fresh, 0, sizeof(r->fresh));
    return true;
}

bool check_ready(struct run *r, const char *when)
{
    uint64_t latest = r->start_usec + DEADLINE_MSEC * 1000ULL + DEADLINE_SLACK_USEC;

    while (r->ready_usec == 0 && now_usec() < latest) {
        if (!look_after_daemon(r))
            return false;
        usleep(LOOK_USEC);
    }
    return r->ready_usec > 0 || failed(r, "%s: READY was not sent by the boot-deadline", when);
}
