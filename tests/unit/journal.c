/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's socket, replaced under the daemon as by a new journald. */
#include "tree.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>

#include "tell/journal.h"

#define BACKLOG 400 /* fewer than we keep */
#define TAKEN_MIN 300

static struct sockaddr_un where = {.sun_family = AF_UNIX};

/* In place of the C library's: journald is at a path of ours. */
int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)address;
    (void)size;
    return (int)syscall(SYS_connect, fd, &where, sizeof(where));
}

static int listen_anew(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(where.sun_path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    return fd;
}

static unsigned take_all(int fd)
{
    char text[4096];
    unsigned n = 0;

    while (recv(fd, text, sizeof(text), 0) > 0)
        n++;
    return n;
}

/* What a socket that nobody reads takes, at most. */
static int queue_length(void)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
    int n = 0;

    ck_assert(f && fscanf(f, "%d", &n) == 1);
    return n + 1;
}

static void pretend_to_be_a_service(void)
{
    char stream[64];
    struct stat st;

    ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
}

/* It is sent as far as the new socket takes it, and the rest when that is read. */
START_TEST(a_backlog_outlives_a_new_socket)
{
    CLEANUP(tree_done) struct tree t;
    sd_event *event = NULL;
    unsigned taken = 0;

    tree_init(&t);
    snprintf(where.sun_path, sizeof(where.sun_path), "%s/journal", t.path);
    pretend_to_be_a_service();
    CLEANUP_CLOSE int first = listen_anew();
    ck_assert_int_ge(sd_event_new(&event), 0);
    journal_open(false);
    ck_assert_int_ge(journal_attach(event), 0);
    journal_plain(LOG_NOTICE, "before");
    ck_assert_uint_eq(take_all(first), 1);
    for (int i = queue_length() + BACKLOG; i > 0; i--)
        journal_plain(LOG_NOTICE, "line %d", i);
    closep(&first); /* with those that it has not read */
    CLEANUP_CLOSE int second = listen_anew();
    for (int i = 0; i < 500 && taken < TAKEN_MIN; i++) {
        ck_assert_int_ge(sd_event_run(event, 10000), 0);
        taken += take_all(second);
    }
    ck_assert_uint_ge(taken, TAKEN_MIN);
    journal_close();
    sd_event_unref(event);
}
END_TEST

UNIT_MAIN("journal", a_backlog_outlives_a_new_socket)
