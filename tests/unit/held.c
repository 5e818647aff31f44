/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <signal.h>
#include <sys/wait.h>

#include "held.h"

static const struct pci_addr first = {0, 6, 0, 0}, second = {0, 7, 0, 0};

START_TEST(round_trip)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0}, again = {0};
    CLEANUP(held_workers_done) struct held_workers workers = {0}, alive = {0};

    tree_init(&t);
    tree_write(&t, "run/.keep", "");
    records_get(&records, first)->touched = true;
    records_get(&records, first)->previous_driver = strdup("nvidia");
    records_get(&records, second)->touched = false; /* nothing worth keeping */
    const struct fence_id id = {.vendor = 0x10de,
                                .device = FENCE_ANY,
                                .subvendor = FENCE_ANY,
                                .subdevice = FENCE_ANY,
                                .class_code = 0x030200,
                                .class_mask = 0xffff00};
    *fence_get(&records.fence, &id) =
        (struct fence_entry){.id = id, .state = FENCE_ARMED, .companion = true, .narrowed = true};
    records.fence.order = 1234567890123;
    records.newest = 9876543210987;
    ck_assert_int_eq(held_workers_add(&workers, &first, getpid()), 0);
    ck_assert_int_eq(held_save(t.fd, &records, &workers), 0);
    ck_assert_int_eq(held_save(t.fd, &records, &workers), 0); /* over the old one */
    ck_assert_int_eq(held_load(t.fd, &again, &alive), 0);
    ck_assert_uint_eq(again.n, 1);
    ck_assert(again.v[0].touched);
    ck_assert_str_eq(again.v[0].previous_driver, "nvidia");
    ck_assert_uint_eq(again.fence.order, 1234567890123);
    ck_assert_uint_eq(again.newest, 9876543210987);
    const struct fence_entry *e = fence_find(&again.fence, &id);
    ck_assert(e && e->state == FENCE_ARMED && e->companion && e->narrowed);
    ck_assert_uint_eq(alive.n, 1);
    ck_assert_int_eq(alive.v[0].pid, getpid());
    held_workers_drop(&alive, getpid() + 1);
    ck_assert_uint_eq(alive.n, 1);
    held_workers_drop(&alive, getpid());
    ck_assert_uint_eq(alive.n, 0);
}
END_TEST

START_TEST(ended_workers_and_reused_pids_are_left_out)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(held_workers_done) struct held_workers workers = {0};
    char text[256];
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    tree_init(&t);
    ck_assert_int_eq(held_workers_add(&workers, &first, pid), 0);
    snprintf(
        text, sizeof(text),
        "worker 0000:06:00.0 pid=%d start=%llu\n" /* alive */
        "worker 0000:07:00.0 pid=%d start=%llu\n" /* the PID is another process by now */
        "worker 0000:08:00.0 pid=1 start=1\nworker nonsense\nworker 0000:09:00.0 pid=-5 start=1\n",
        pid, workers.v[0].start, pid, workers.v[0].start + 1);
    held_workers_done(&workers);
    tree_write(&t, "run/vfio-bindd/state", text);
    ck_assert_int_eq(held_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(workers.n, 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    held_workers_done(&workers);
    ck_assert_int_eq(held_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(workers.n, 0);
}
END_TEST

START_TEST(what_is_not_understood_is_skipped)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(held_workers_done) struct held_workers workers = {0};

    tree_init(&t);
    ck_assert_int_eq(held_load(t.fd, &records, &workers), 0); /* no file */
    tree_write(&t, "run/vfio-bindd/state",
               "\ngarbage\ndevice\ndevice x touched=1 previous=y\n"
               "device 0000:06:00.0 touched=1 released=1 hotplugged=0 unused=0 contested=0 "
               "previous=-\ndevice "
               "0000:07:00.0 touched=1\n");
    ck_assert_int_eq(held_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(records.n, 2);
    ck_assert(records.v[0].touched && records.v[0].released && !records.v[0].previous_driver);
    ck_assert(records.v[1].touched && !records.v[1].released);
}
END_TEST

UNIT_MAIN("held", round_trip, ended_workers_and_reused_pids_are_left_out,
          what_is_not_understood_is_skipped)
