/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/util.h"
#include "start/starting.h"
#include "start/tries.h"
#include "tell/journal.h"

/* A running daemon lets the boot go on itself, so it gets a little more time than the deadline. */
#define MARGIN_USEC (250 * 1000ULL)
/* How long the daemon may take to exit. */
#define STOP_USEC (2 * USEC_PER_SEC)
/* systemd reads it at once, unless it is stopped. */
#define BARRIER_USEC (5 * USEC_PER_SEC)
#define NEVER UINT64_MAX

struct supervisor {
    supervised *daemon;
    void *userdata;
    sigset_t inherited; /* the daemon's signal mask */
    struct tries tries;
    uint64_t first_usec, deadline_usec;
    uint64_t next_usec; /* time of the next start, if none is in progress */
    uint64_t kill_usec; /* when to kill it if it has not exited; NEVER: do not kill it */
    uint64_t watchdog_usec, ping_usec;
    int signal_fd;
    int fd; /* the daemon that is starting; -1: none */
    pid_t pid;
    int pid_fd; /* -1: it has not sent its PID */
    int result; /* of this start */
    bool waits; /* for the lock */
    bool over;
    int status;
};

static void end_with(struct supervisor *s, int status)
{
    s->over = true;
    s->status = status;
}

static void send_on(const struct supervisor *s, int sig)
{
    if (s->pid_fd >= 0)
        (void)pidfd_send_signal(s->pid_fd, sig, NULL, 0);
}

/* -- a start -- */

static void start_ended(struct supervisor *s)
{
    closep(&s->fd);
    closep(&s->pid_fd);
    s->fd = s->pid_fd = -1;
    if (s->kill_usec != NEVER) {
        end_with(s, s->status);
        return;
    }
    struct next_try next = tries_next(&s->tries, s->result);
    if (next.none) {
        end_with(s, s->result == 0 ? EXIT_SUCCESS : EXIT_GAVE_UP);
        return;
    }
    s->next_usec = now_usec() + next.pause_usec;
    if (s->result == TRY_DIED)
        journal_plain(LOG_ERR, "vfio-bindd died before it was ready: starting it again (start %u)",
                      s->tries.n + 1);
    else
        journal_plain(LOG_ERR, "vfio-bindd could not start (%s): starting it again (start %u)",
                      strerror(-s->result), s->tries.n + 1);
}

static _Noreturn void be_daemon(struct supervisor *s, int fd)
{
    struct starting starting = {.fd = fd, .first_usec = s->first_usec};

    close(s->signal_fd);
    sigaddset(&s->inherited, SIGHUP); /* kept pending until there is a loop */
    sigprocmask(SIG_SETMASK, &s->inherited, NULL);
    unsetenv("WATCHDOG_PID"); /* its value is the supervisor's PID; without it, the watchdog is for
                                 any process */
    starting_tell(&starting, STARTING_PID, getpid());
    int r = s->daemon(s->userdata, &starting);
    starting_tell(&starting, STARTING_ENDED, r < 0 ? r : 0);
    exit(r == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Forks twice: the process in between exits at once, so systemd adopts the daemon. */
static void start_daemon(struct supervisor *s)
{
    int sockets[2];

    s->waits = false;
    s->result = TRY_DIED;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        s->result = -errno;
        start_ended(s);
        return;
    }
    pid_t between = fork();
    if (between == 0) {
        close(sockets[0]);
        if (fork() != 0)
            _exit(0);
        be_daemon(s, sockets[1]);
    }
    if (between < 0)
        s->result = -errno;
    close(sockets[1]);
    s->fd = sockets[0]; /* if no daemon was started, reading it returns EOF */
    while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The order matters: only the main process may say that it is ready, and the old main process may
 * not exit before. */
static void make_main(struct supervisor *s)
{
    if (s->kill_usec != NEVER) { /* too late: it is about to be killed */
        shutdown(s->fd, SHUT_WR);
        return;
    }
    sd_notifyf(false, "MAINPID=%d", (int)s->pid);
    (void)send(s->fd, "", 1, MSG_NOSIGNAL);
    (void)sd_notify_barrier(false, BARRIER_USEC);
    end_with(s, EXIT_SUCCESS);
}

static void hear_daemon(struct supervisor *s)
{
    struct starting_message m;
    ssize_t n = recv(s->fd, &m, sizeof(m), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != (ssize_t)sizeof(m)) {
        start_ended(s);
        return;
    }
    switch (m.kind) {
    case STARTING_PID:
        s->pid = (pid_t)m.value;
        s->pid_fd = pidfd_open(s->pid, 0);
        if (s->kill_usec != NEVER)
            send_on(s, SIGTERM);
        break;
    case STARTING_WAITS:
        s->waits = m.value != 0;
        break;
    case STARTING_DEADLINE:
        s->deadline_usec = s->first_usec + (uint64_t)m.value + MARGIN_USEC;
        break;
    case STARTING_READY:
        make_main(s);
        break;
    case STARTING_ENDED:
        s->result = (int)m.value;
        break;
    }
}

/* -- the service -- */

static void on_signal(struct supervisor *s)
{
    struct signalfd_siginfo si;

    if (read(s->signal_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
        return;
    if (s->fd >= 0 && s->pid_fd < 0) /* its PID may be waiting in the socket as well */
        hear_daemon(s);
    if (si.ssi_signo == SIGHUP) { /* the cause of the failures may have been removed */
        s->next_usec = 0;
        send_on(s, SIGHUP);
        return;
    }
    s->status = si.ssi_signo == SIGABRT ? EXIT_FAILURE : EXIT_SUCCESS; /* systemd's watchdog */
    s->kill_usec = now_usec() + STOP_USEC;
    if (s->fd < 0)
        end_with(s, s->status);
    send_on(s, (int)si.ssi_signo);
}

static void let_boot_go_on(struct supervisor *s)
{
    s->tries.boot_goes_on = true;
    s->ping_usec = 0;
    sd_notify(false, "READY=1\nSTATUS=Not working yet: vfio-bindd keeps failing before it is "
                     "ready, and is started again");
    journal_event(EVENT_DEGRADED, "vfio-bindd was not ready by boot-deadline: the boot continues "
                                  "without it, and starts go on");
}

/* Must the supervisor itself answer systemd's watchdog? While a daemon is at work, it must not:
 * then the watchdog is about the daemon. */
static bool pings(const struct supervisor *s)
{
    return s->watchdog_usec > 0 && s->tries.boot_goes_on && (s->fd < 0 || s->waits);
}

/* Does what is due now; returns the time of the next task. */
static uint64_t do_what_is_due(struct supervisor *s)
{
    const uint64_t now = now_usec();
    uint64_t next = s->kill_usec;

    if (now >= s->kill_usec) {
        send_on(s, SIGKILL);
        end_with(s, s->status);
    }
    if (!s->tries.boot_goes_on && now >= s->deadline_usec)
        let_boot_go_on(s);
    if (pings(s) && now >= s->ping_usec) {
        sd_notify(false, "WATCHDOG=1");
        s->ping_usec = now + s->watchdog_usec / 3;
    }
    if (s->fd < 0 && !s->over && now >= s->next_usec)
        start_daemon(s);
    if (!s->tries.boot_goes_on && s->deadline_usec < next)
        next = s->deadline_usec;
    if (pings(s) && s->ping_usec < next)
        next = s->ping_usec;
    if (s->fd < 0 && s->next_usec < next)
        next = s->next_usec;
    return next;
}

static void wait_for_word(const struct supervisor *s, uint64_t usec, struct pollfd fds[static 2])
{
    const uint64_t now = now_usec(), left = usec > now ? usec - now : 0;
    const struct timespec t = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                               .tv_nsec = (long)(left % USEC_PER_SEC) * 1000};

    fds[0] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    if (ppoll(fds, 2, usec == NEVER ? NULL : &t, NULL) < 0)
        fds[0].revents = fds[1].revents = 0;
}

int supervise(supervised *daemon, void *userdata, uint64_t boot_deadline_usec)
{
    const uint64_t now = now_usec();
    struct supervisor s = {.daemon = daemon,
                           .userdata = userdata,
                           .first_usec = now,
                           .deadline_usec = now + boot_deadline_usec + MARGIN_USEC,
                           .kill_usec = NEVER,
                           .fd = -1,
                           .pid_fd = -1};
    struct pollfd fds[2];
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGABRT);
    sigprocmask(SIG_BLOCK, &set, &s.inherited);
    s.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (sd_watchdog_enabled(false, &s.watchdog_usec) <= 0)
        s.watchdog_usec = 0;
    while (!s.over) {
        uint64_t due = do_what_is_due(&s);
        if (s.over)
            break;
        wait_for_word(&s, due, fds);
        if (fds[0].revents)
            on_signal(&s);
        if (fds[1].revents && s.fd >= 0 && !s.over)
            hear_daemon(&s);
    }
    closep(&s.signal_fd);
    closep(&s.fd);
    closep(&s.pid_fd);
    return s.status;
}
