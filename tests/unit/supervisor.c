/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor with a daemon that does as it is told, and a systemd that only listens. */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "record-file.h"
#include "start/starting.h"
#include "start/supervisor.h"
#include "tree.h"

#define MS 1000ULL
#define LONG (30 * USEC_PER_SEC)

/* What a start of the daemon does; the last of a script is what all further ones do. */
enum act { DIE, HANG, STUBBORN, REFUSE, NO_MEMORY, WAIT, LOCK, SLOW, TOLD, READY };

struct shared {
    enum act script[32];
    unsigned n_script;
    unsigned starts;
    pid_t daemon; /* of the last start */
    bool hung_up;
    int result; /* of the hand-over */
    uint64_t deadline_usec;
    int root_fd;
};

struct host {
    char folder[64], path[96];
    int fd;
    pid_t supervisor;
    struct shared *shared;
};

/* -- the daemon -- */

static _Noreturn void sleep_for_ever(void)
{
    while (true)
        pause();
}

static void be_ready(struct shared *d, struct starting *s)
{
    d->result = starting_hand_over(s);
    if (d->result < 0)
        return;
    sd_notify(false, "READY=1");
    sleep_for_ever();
}

static int play(void *userdata, struct starting *s)
{
    struct shared *d = userdata;
    sigset_t hup;

    d->daemon = getpid();
    enum act act = d->script[d->starts < d->n_script ? d->starts : d->n_script - 1];
    d->starts++;
    if (d->deadline_usec > 0)
        starting_tell(s, STARTING_DEADLINE, (int64_t)d->deadline_usec);
    switch (act) {
    case DIE:
        raise(SIGKILL);
        break;
    case HANG:
        sleep_for_ever();
    case STUBBORN:
        signal(SIGTERM, SIG_IGN);
        sleep_for_ever();
    case REFUSE:
        return -EPERM;
    case NO_MEMORY:
        return -ENOMEM;
    case WAIT:
        starting_tell(s, STARTING_WAITS, 1);
        sleep_for_ever();
    case LOCK:
        if (starting_lock(s, d->root_fd) < 0)
            return -EPERM;
        break;
    case SLOW:
        usleep(300 * 1000);
        break;
    case TOLD: /* a signal that came before it was waited for is not lost */
        sigemptyset(&hup);
        sigaddset(&hup, SIGHUP);
        d->hung_up = sigtimedwait(&hup, NULL, &(struct timespec){.tv_sec = 30}) == SIGHUP;
        break;
    case READY:
        break;
    }
    be_ready(d, s);
    return d->result;
}

/* -- systemd -- */

static void host_init(struct host *h, const enum act *script, unsigned n)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    *h = (struct host){.folder = "/tmp/supervisor-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(h->folder));
    snprintf(h->path, sizeof(h->path), "%s/notify", h->folder);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", h->path);
    h->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(h->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    h->shared =
        mmap(NULL, sizeof(*h->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(h->shared != MAP_FAILED);
    memcpy(h->shared->script, script, n * sizeof(*script));
    h->shared->n_script = n;
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static void host_start(struct host *h, uint64_t deadline_usec, uint64_t watchdog_usec)
{
    char text[32];

    h->supervisor = fork();
    if (h->supervisor != 0)
        return;
    signal(SIGTERM, SIG_DFL); /* check has a handler of its own */
    setenv("NOTIFY_SOCKET", h->path, 1);
    snprintf(text, sizeof(text), "%d", getpid());
    setenv("WATCHDOG_PID", text, 1);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)watchdog_usec);
    setenv("WATCHDOG_USEC", text, 1);
    if (watchdog_usec == 0)
        unsetenv("WATCHDOG_USEC");
    _exit(supervise(play, h->shared, deadline_usec));
}

static void host_done(struct host *h)
{
    kill(h->supervisor, SIGKILL);
    if (h->shared->daemon > 0)
        kill(h->shared->daemon, SIGKILL);
    while (wait(NULL) > 0)
        ;
    munmap(h->shared, sizeof(*h->shared));
    close(h->fd);
    unlink(h->path);
    rmdir(h->folder);
}

/* The next message, without a barrier's; "" after so long. */
static const char *heard(struct host *h, uint64_t usec)
{
    static char text[512];
    const uint64_t end = now_usec() + usec;

    for (uint64_t now = now_usec(); now < end; now = now_usec()) {
        char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        struct iovec iov = {text, sizeof(text) - 1};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};
        struct pollfd p = {.fd = h->fd, .events = POLLIN};

        if (poll(&p, 1, (int)((end - now) / 1000 + 1)) != 1)
            break;
        ssize_t n = recvmsg(h->fd, &m, MSG_CMSG_CLOEXEC);
        ck_assert_int_ge(n, 0);
        text[n] = '\0';
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
            if (c->cmsg_type == SCM_RIGHTS) {
                int fd;
                memcpy(&fd, CMSG_DATA(c), sizeof(fd));
                close(fd);
            }
        if (!streq(text, "BARRIER=1"))
            return text;
    }
    return "";
}

static int ended(struct host *h)
{
    int status;

    ck_assert_int_eq(waitpid(h->supervisor, &status, 0), h->supervisor);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* How the daemon ended. It is our child when the process between it and the supervisor has ended.
 */
static int daemon_ended(struct host *h)
{
    int status = -1;
    pid_t pid = -1;

    for (unsigned i = 0; i < 3000 && pid != h->shared->daemon; i++) {
        if (i > 0)
            usleep(10000);
        pid = waitpid(h->shared->daemon, &status, 0);
    }
    ck_assert_int_eq(pid, h->shared->daemon);
    h->shared->daemon = 0;
    return status;
}

/* The daemon becomes the main process, in this order. It is our child then. */
static void check_hand_over(struct host *h)
{
    const char *text = heard(h, LONG);

    ck_assert_msg(after_prefix(text, "MAINPID="), "heard \"%s\"", text);
    ck_assert_int_eq(atoi(text + strlen("MAINPID=")), h->shared->daemon);
    ck_assert_str_eq(heard(h, LONG), "READY=1");
    ck_assert_int_eq(ended(h), 0);
    ck_assert_int_eq(kill(h->shared->daemon, SIGTERM), 0);
    const int status = daemon_ended(h);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void wait_for_start(struct host *h, unsigned n)
{
    for (unsigned i = 0; i < 3000 && h->shared->starts < n; i++)
        usleep(10000);
    ck_assert_uint_ge(h->shared->starts, n);
}

/* -- the tests -- */

START_TEST(killed_before_it_is_ready)
{
    static const unsigned counts[] = {0, 1, 2, 5, 20};

    for (size_t i = 0; i < ELEMENTS(counts); i++) {
        enum act script[21] = {DIE};
        CLEANUP(host_done) struct host h;

        script[counts[i]] = READY;
        host_init(&h, script, counts[i] + 1);
        host_start(&h, LONG, 0);
        check_hand_over(&h);
        ck_assert_uint_eq(h.shared->starts, counts[i] + 1);
    }
}
END_TEST

START_TEST(who_gave_up_is_not_started_again)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, (enum act[]){DIE, REFUSE, READY}, 3);
    host_start(&h, LONG, 0);
    ck_assert_int_eq(ended(&h), EXIT_GAVE_UP);
    ck_assert_uint_eq(h.shared->starts, 2);
    ck_assert_str_eq(heard(&h, 0), "");
}
END_TEST

START_TEST(who_lacked_something_is)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, (enum act[]){NO_MEMORY, READY}, 2);
    host_start(&h, LONG, 0);
    check_hand_over(&h);
}
END_TEST

/* The deadline is the policy's, of all starts together; later pauses are long, SIGHUP ends them. */
START_TEST(the_boot_goes_on)
{
    CLEANUP(host_done) struct host h;
    const uint64_t begin = now_usec();

    host_init(&h, (enum act[]){DIE}, 1);
    h.shared->deadline_usec = 500 * MS;
    host_start(&h, LONG, 150 * MS);
    const char *text = heard(&h, LONG);
    ck_assert_msg(after_prefix(text, "READY=1\nSTATUS=Not working yet"), "heard \"%s\"", text);
    ck_assert_uint_ge(now_usec() - begin, 500 * MS);
    const unsigned in_time = h.shared->starts;
    ck_assert_uint_gt(in_time, 3);
    for (unsigned i = 0; i < 30; i++) /* 1.5 s */
        ck_assert_str_eq(heard(&h, LONG), "WATCHDOG=1");
    ck_assert_uint_ge(h.shared->starts, in_time + 1);
    ck_assert_uint_le(h.shared->starts, in_time + 3);
    h.shared->script[0] = READY;
    ck_assert_int_eq(kill(h.supervisor, SIGHUP), 0);
    while (streq(text = heard(&h, LONG), "WATCHDOG=1"))
        ;
    ck_assert_msg(after_prefix(text, "MAINPID="), "heard \"%s\"", text);
    ck_assert_str_eq(heard(&h, LONG), "READY=1");
    ck_assert_int_eq(ended(&h), 0);
}
END_TEST

/* systemd's watchdog is not told that all is well, and who hangs dies of it. */
START_TEST(who_hangs)
{
    CLEANUP(host_done) struct host h;
    int status;

    host_init(&h, (enum act[]){HANG}, 1);
    host_start(&h, 100 * MS, 100 * MS);
    ck_assert_ptr_nonnull(after_prefix(heard(&h, LONG), "READY=1\n"));
    ck_assert_str_eq(heard(&h, 500 * MS), "");
    ck_assert_int_eq(kill(h.supervisor, SIGABRT), 0);
    ck_assert_int_eq(ended(&h), EXIT_FAILURE);
    status = daemon_ended(&h);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert_uint_eq(h.shared->starts, 1);
}
END_TEST

START_TEST(who_waits_for_the_lock_does_not_hang)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, (enum act[]){WAIT}, 1);
    host_start(&h, 100 * MS, 100 * MS);
    ck_assert_ptr_nonnull(after_prefix(heard(&h, LONG), "READY=1\n"));
    for (unsigned i = 0; i < 5; i++)
        ck_assert_str_eq(heard(&h, LONG), "WATCHDOG=1");
    ck_assert_uint_eq(h.shared->starts, 1);
}
END_TEST

START_TEST(the_lock_is_waited_for)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(host_done) struct host h;

    tree_init(&t);
    tree_write(&t, "run/.keep", "");
    int lock = record_file_lock(t.fd, false);
    ck_assert_int_ge(lock, 0);
    host_init(&h, (enum act[]){LOCK}, 1);
    h.shared->root_fd = t.fd;
    host_start(&h, LONG, 0);
    wait_for_start(&h, 1);
    ck_assert_str_eq(heard(&h, 300 * MS), "");
    /* without a supervisor it is refused */
    ck_assert_int_eq(starting_lock(NULL, t.fd), -EBUSY);
    /* the supervisor has a copy of the descriptor, but let go is let go */
    ck_assert_int_eq(flock(lock, LOCK_UN), 0);
    close(lock);
    check_hand_over(&h);
    ck_assert_uint_eq(h.shared->starts, 1);
}
END_TEST

/* A stop ends the daemon, too, even one that does not hear. */
START_TEST(a_stop)
{
    static const struct {
        enum act act;
        int status; /* of the daemon */
    } cases[] = {{HANG, SIGTERM}, {WAIT, SIGTERM}, {STUBBORN, SIGKILL}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(host_done) struct host h;
        int status;

        host_init(&h, &cases[i].act, 1);
        host_start(&h, LONG, 0);
        wait_for_start(&h, 1);
        usleep(100 * 1000);
        ck_assert_int_eq(kill(h.supervisor, SIGTERM), 0);
        ck_assert_int_eq(ended(&h), 0);
        status = daemon_ended(&h);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == cases[i].status);
        ck_assert_uint_eq(h.shared->starts, 1);
        ck_assert_str_eq(heard(&h, 0), "");
    }
}
END_TEST

/* Between two starts there is nobody to wait for. */
START_TEST(a_stop_between)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, (enum act[]){DIE}, 1);
    host_start(&h, 1, 0);
    ck_assert_ptr_nonnull(after_prefix(heard(&h, LONG), "READY=1\n"));
    usleep(100 * 1000);
    ck_assert_int_eq(kill(h.supervisor, SIGTERM), 0);
    ck_assert_int_eq(ended(&h), 0);
}
END_TEST

START_TEST(a_reload_is_passed_on)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, (enum act[]){TOLD}, 1);
    host_start(&h, LONG, 0);
    wait_for_start(&h, 1);
    ck_assert_int_eq(kill(h.supervisor, SIGHUP), 0);
    check_hand_over(&h);
    ck_assert(h.shared->hung_up);
}
END_TEST

/* systemd starts another then. */
START_TEST(a_daemon_without_its_supervisor_ends)
{
    CLEANUP(host_done) struct host h;
    int status;

    host_init(&h, (enum act[]){SLOW}, 1);
    host_start(&h, LONG, 0);
    wait_for_start(&h, 1);
    kill(h.supervisor, SIGKILL);
    status = daemon_ended(&h);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
    ck_assert_int_eq(h.shared->result, -EPIPE);
    ck_assert_str_eq(heard(&h, 0), "");
}
END_TEST

UNIT_MAIN("supervisor", killed_before_it_is_ready, who_gave_up_is_not_started_again,
          who_lacked_something_is, the_boot_goes_on, who_hangs,
          who_waits_for_the_lock_does_not_hang, the_lock_is_waited_for, a_stop, a_stop_between,
          a_reload_is_passed_on, a_daemon_without_its_supervisor_ends)
