/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs and their workers, on a made-up host where a FIFO that nobody reads blocks like a hanging
 * remove(). Times are only ever checked from below: shared machines are slow at times. */
#include "tree.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "policy/policy.h"
#include "write/jobs.h"

#define ADDRESS "0000:06:00.0"

struct fixture {
    struct tree tree;
    sd_event *event;
    struct jobs *jobs;
    unsigned done, ended, hangs, overdue, old_ended;
    uint64_t hangs_usec, overdue_usec; /* when the last hung, and the first was overdue */
    bool began;                        /* the last one that was done */
};

static void on_done(void *userdata, struct job *j, bool ended)
{
    struct fixture *f = userdata;
    size_t n;

    f->done++;
    f->ended += ended;
    f->began = worker_ops(j->worker, &n)[0].result != OP_NOT_DONE;
}

static void on_hangs(void *userdata, struct job *j)
{
    struct fixture *f = userdata;

    ck_assert(j->cancelled && j->hanging.kind == ACTION_UNBIND);
    f->hangs++;
    f->hangs_usec = now_usec();
}

static void on_overdue(void *userdata, struct job *j)
{
    struct fixture *f = userdata;

    ck_assert(j->overdue);
    if (f->overdue++ == 0)
        f->overdue_usec = now_usec();
}

static void on_old_ended(void *userdata, const struct job *j)
{
    (void)j;
    ((struct fixture *)userdata)->old_ended++;
}

static void fixture_done(struct fixture *f)
{
    jobs_free(f->jobs);
    sd_event_unref(f->event);
    tree_done(&f->tree);
}

static void set_up(struct fixture *f)
{
    const struct jobs_handler handler = {f, on_done, on_hangs, on_overdue, on_old_ended};

    *f = (struct fixture){0};
    tree_init(&f->tree);
    tree_device(&f->tree, ADDRESS, MODALIAS_A100, "nvidia", "14");
    tree_driver(&f->tree, "nvidia");
    signal(SIGCHLD, SIG_IGN);
    ck_assert_int_ge(sd_event_new(&f->event), 0);
    ck_assert_int_ge(jobs_new(f->event, f->tree.fd, &handler, &f->jobs), 0);
    jobs_set_timeout(f->jobs, 3600 * USEC_PER_SEC);
}

static void make_hang(const struct fixture *f)
{
    unlinkat(f->tree.fd, "sys/bus/pci/drivers/nvidia/unbind", 0);
    ck_assert_int_eq(mkfifoat(f->tree.fd, "sys/bus/pci/drivers/nvidia/unbind", 0600), 0);
}

static void fill(struct job *j)
{
    struct op *op = worker_room(j->worker, 1);

    *op = (struct op){.kind = ACTION_UNBIND, .driver = "nvidia", .result = OP_NOT_DONE};
    ck_assert_int_eq(pci_addr_parse(ADDRESS, &op->addr), 0);
    j->busy = true;
}

static struct job *add_waiting(struct fixture *f)
{
    struct job *j;

    ck_assert_int_ge(job_new(f->jobs, 1, &j), 0);
    fill(j);
    j->isolated = j->waiting = true;
    return j;
}

/* At once, by the worker that is kept. */
static void submit_common(struct fixture *f)
{
    struct job *j = jobs_idle(f->jobs, 1);

    ck_assert_ptr_nonnull(j);
    fill(j);
    ck_assert_int_eq(worker_submit(j->worker), 0);
    jobs_watch(f->jobs);
}

/* One that does not count after a minute: check ends the test then. */
static void run_until(struct fixture *f, const unsigned *counter, unsigned wanted)
{
    while (*counter < wanted)
        ck_assert_int_ge(sd_event_run(f->event, USEC_PER_SEC), 0);
}

static unsigned waiting(const struct fixture *f)
{
    unsigned n = 0;

    for (const struct job *j = jobs_list(f->jobs); j; j = j->next)
        n += j->waiting;
    return n;
}

/* -- beginning -- */

START_TEST(all_that_wait_begin_one_by_one)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    make_hang(&f); /* none is done before the next begins */
    const struct job *oldest = add_waiting(&f);
    for (int i = 0; i < 3; i++)
        add_waiting(&f);
    ck_assert_int_ge(jobs_start(f.jobs), 0);
    for (unsigned left = 4; left > 0;) {
        ck_assert_int_ge(sd_event_run(f.event, USEC_PER_SEC), 0);
        ck_assert_uint_ge(waiting(&f) + 1, left);
        left = waiting(&f);
        ck_assert(!oldest->waiting || left == 4);
    }
    ck_assert_uint_eq(f.done, 0);
    CLEANUP_CLOSE int reader =
        openat(f.tree.fd, "sys/bus/pci/drivers/nvidia/unbind", O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    run_until(&f, &f.done, 4);
    ck_assert(f.began && f.ended == 0);
}
END_TEST

START_TEST(none_begins_after_a_stop)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    add_waiting(&f);
    ck_assert_int_ge(jobs_start(f.jobs), 0);
    jobs_stop(f.jobs);
    for (int i = 0; i < 5; i++)
        ck_assert_int_ge(sd_event_run(f.event, 10000), 0);
    ck_assert_uint_eq(waiting(&f), 1);
}
END_TEST

/* -- dying -- */

START_TEST(a_worker_that_dies_before_it_begins)
{
    static const bool told[] = {false, true};

    for (size_t i = 0; i < ELEMENTS(told); i++) {
        CLEANUP(fixture_done) struct fixture f;
        set_up(&f);
        const struct job *j = add_waiting(&f);
        ck_assert_int_eq(kill(worker_pid(j->worker), SIGKILL), 0);
        if (told[i])
            ck_assert_int_ge(jobs_start(f.jobs), 0);
        run_until(&f, &f.done, 1);
        ck_assert(f.ended == 1 && !f.began);
        ck_assert_uint_eq(waiting(&f), 0);
    }
}
END_TEST

/* -- the worker that is kept ready -- */

START_TEST(the_idle_worker)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    struct job *j = jobs_idle(f.jobs, 256);
    ck_assert_ptr_nonnull(j);
    ck_assert_ptr_null(jobs_idle(f.jobs, 257));
    for (unsigned i = 1; i <= 3; i++) {
        submit_common(&f);
        ck_assert_ptr_null(jobs_idle(f.jobs, 1));
        run_until(&f, &f.done, i);
        ck_assert(f.began && f.ended == 0 && jobs_idle(f.jobs, 1) == j);
    }
    ck_assert_int_eq(kill(worker_pid(j->worker), SIGKILL), 0);
    while (jobs_list(f.jobs))
        ck_assert_int_ge(sd_event_run(f.event, USEC_PER_SEC), 0);
    ck_assert_uint_eq(f.done, 3); /* it had nothing to do */
}
END_TEST

START_TEST(an_isolated_worker_is_not_kept)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    job_free(jobs_idle(f.jobs, 1));
    add_waiting(&f);
    ck_assert_int_ge(jobs_start(f.jobs), 0);
    run_until(&f, &f.done, 1);
    ck_assert_ptr_null(jobs_list(f.jobs));
}
END_TEST

/* -- patience -- */

START_TEST(a_common_job_that_stalls_is_left_behind_soon)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    make_hang(&f);
    submit_common(&f);
    run_until(&f, &f.hangs, 1); /* long before the timeout, which is an hour */
    ck_assert_ptr_null(jobs_idle(f.jobs, 1));
    ck_assert_uint_eq(f.overdue, 0);
    CLEANUP_CLOSE int reader =
        openat(f.tree.fd, "sys/bus/pci/drivers/nvidia/unbind", O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    run_until(&f, &f.done, 1); /* the kernel lets go */
    ck_assert_uint_eq(f.ended, 1);
    ck_assert_ptr_null(jobs_list(f.jobs));
}
END_TEST

START_TEST(what_has_waited_is_watched)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    make_hang(&f);
    jobs_set_timeout(f.jobs, 1000);
    add_waiting(&f);
    ck_assert_int_ge(jobs_start(f.jobs), 0);
    run_until(&f, &f.hangs, 1);
}
END_TEST

START_TEST(patience_with_what_may_take_long)
{
    static const uint64_t timeout = 800000; /* more than a stall */
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f);
    make_hang(&f);
    jobs_set_timeout(f.jobs, timeout);
    add_waiting(&f);
    uint64_t start = now_usec();
    ck_assert_int_ge(jobs_start(f.jobs), 0);
    submit_common(&f); /* cancelled sooner, but not overdue */
    run_until(&f, &f.hangs, 1);
    run_until(&f, &f.hangs, 2);
    ck_assert_uint_ge(f.hangs_usec - start, timeout);
    run_until(&f, &f.overdue, 2);
    ck_assert_uint_ge(f.overdue_usec - start, timeout);
}
END_TEST

/* A search for users takes its time, and the unbind that follows hangs: that is not found out only
 * when the search would have taken too long. */
START_TEST(looked_at_soon_enough)
{
    static const struct {
        uint64_t since, patience, now, look;
    } table[] = {
        {100, 10, 100, 110},                      /* an unbind that begins */
        {100, 10, 107, 110}, {100, 40, 100, 110}, /* a search that begins */
        {100, 40, 110, 120}, {100, 40, 135, 140}, {100, 1, 100, 101},
    };

    for (size_t i = 0; i < ELEMENTS(table); i++)
        ck_assert_uint_eq(jobs_look_usec(table[i].since, table[i].patience, 10, table[i].now),
                          table[i].look);
}
END_TEST

/* -- of an earlier run -- */

START_TEST(an_earlier_worker_is_waited_for)
{
    CLEANUP(fixture_done) struct fixture f;
    struct job *j;

    set_up(&f);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    ck_assert_int_ge(job_new_old(f.jobs, pid, &j), 0);
    ck_assert(j->busy && j->isolated && j->cancelled && j->overdue && j->pid == pid);
    kill(pid, SIGKILL);
    run_until(&f, &f.old_ended, 1);
    ck_assert_int_eq(job_new_old(f.jobs, pid, &j), -ESRCH);
}
END_TEST

UNIT_MAIN("jobs", all_that_wait_begin_one_by_one, none_begins_after_a_stop,
          a_worker_that_dies_before_it_begins, the_idle_worker, an_isolated_worker_is_not_kept,
          a_common_job_that_stalls_is_left_behind_soon, what_has_waited_is_watched,
          patience_with_what_may_take_long, looked_at_soon_enough, an_earlier_worker_is_waited_for)
