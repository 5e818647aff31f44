/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "failing.h"

#include <signal.h>
#include <sys/wait.h>

#include "record-file.h"

static int failing_error; /* of all calls; 0: none fails */

static int failing_call(const char *call, const char *path, int fd)
{
    (void)fd;
    (void)call;
    (void)path;
    return failing_error;
}

static const struct pci_addr first = {0, 6, 0, 0}, second = {0, 7, 0, 0};

START_TEST(round_trip)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0}, again = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0}, alive = {0};

    tree_init(&t);
    tree_write(&t, "run/.keep", "");
    records_get(&records, first)->touched = true;
    records_get(&records, first)->previous_driver = strdup("nvidia");
    records_get(&records, second)->touched = false; /* nothing worth keeping */
    const struct dynid id = {.vendor = 0x10de,
                             .device = DYNID_ANY,
                             .subvendor = DYNID_ANY,
                             .subdevice = DYNID_ANY,
                             .class_code = 0x030200,
                             .class_mask = 0xffff00};
    *dynids_get(&records.dynids, &id) =
        (struct dynid_entry){.id = id, .state = DYNID_ARMED, .learned = true, .narrowed = true};
    records.dynids.order = 1234567890123;
    records.newest = 9876543210987;
    records.newest_at_boot = 9876543210986;
    records.iommu_given_up = true;
    ck_assert_int_eq(recorded_workers_add(&workers, &first, getpid()), 0);
    ck_assert_int_eq(record_file_save(t.fd, &records, &workers), 0);
    ck_assert_int_eq(record_file_save(t.fd, &records, &workers), 0); /* over the old one */
    ck_assert_int_eq(record_file_load(t.fd, &again, &alive), 0);
    ck_assert_uint_eq(alive.format, RECORD_FILE_FORMAT);
    ck_assert_uint_eq(again.n, 1);
    ck_assert(again.v[0].touched);
    ck_assert_str_eq(again.v[0].previous_driver, "nvidia");
    ck_assert_uint_eq(again.dynids.order, 1234567890123);
    ck_assert_uint_eq(again.newest, 9876543210987);
    ck_assert_uint_eq(again.newest_at_boot, 9876543210986);
    ck_assert(again.iommu_given_up);
    const struct dynid_entry *e = dynids_find(&again.dynids, &id);
    ck_assert(e && e->state == DYNID_ARMED && e->learned && e->narrowed);
    ck_assert_uint_eq(alive.n, 1);
    ck_assert_int_eq(alive.v[0].pid, getpid());
    recorded_workers_drop(&alive, getpid() + 1);
    ck_assert_uint_eq(alive.n, 1);
    recorded_workers_drop(&alive, getpid());
    ck_assert_uint_eq(alive.n, 0);
}
END_TEST

START_TEST(ended_workers_and_reused_pids_are_left_out)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};
    char text[256];
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    tree_init(&t);
    ck_assert_int_eq(recorded_workers_add(&workers, &first, pid), 0);
    snprintf(
        text, sizeof(text),
        "worker 0000:06:00.0 pid=%d start=%llu\n" /* alive */
        "worker 0000:07:00.0 pid=%d start=%llu\n" /* the PID is another process by now */
        "worker 0000:08:00.0 pid=1 start=1\nworker nonsense\nworker 0000:09:00.0 pid=-5 start=1\n",
        pid, workers.v[0].start, pid, workers.v[0].start + 1);
    recorded_workers_done(&workers);
    tree_write(&t, "run/vfio-bindd/state", text);
    ck_assert_int_eq(record_file_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(workers.n, 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    recorded_workers_done(&workers);
    ck_assert_int_eq(record_file_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(workers.n, 0);
}
END_TEST

/* A worker may hang in the kernel: it is not forgotten because /proc cannot be read. */
START_TEST(a_worker_that_cannot_be_looked_at)
{
    static const int errors[] = {EMFILE, ENOMEM, EACCES, EIO};

    for (size_t i = 0; i < ELEMENTS(errors); i++) {
        CLEANUP(records_done) struct records records = {0};
        CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};
        char line[] = "worker 0000:06:00.0 pid=2147483646 start=7\n", again[sizeof(line)];
        memcpy(again, line, sizeof(line));
        failing_error = errors[i];
        ck_assert_int_eq(record_file_read(line, &records, &workers), 0);
        failing_error = 0;
        ck_assert_uint_eq(workers.n, 1);
        ck_assert_int_eq(record_file_read(again, &records, &workers), 0);
        ck_assert_uint_eq(workers.n, 1); /* now it is known that there is none such */
    }
}
END_TEST

/* It may be somebody else's word about what is ours. */
START_TEST(a_file_that_others_can_write)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};
    char full[512];

    tree_init(&t);
    tree_write(&t, "run/vfio-bindd/state", "device 0000:06:00.0 touched=1\n");
    snprintf(full, sizeof(full), "%s/run/vfio-bindd/state", t.path);
    ck_assert_int_eq(chmod(full, 0666), 0);
    ck_assert_int_eq(record_file_load(t.fd, &records, &workers), -EPERM);
    ck_assert_uint_eq(records.n, 0);
    ck_assert_int_eq(chmod(full, 0644), 0);
    ck_assert_int_eq(record_file_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(records.n, 1);
}
END_TEST

START_TEST(what_is_not_understood_is_skipped)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};

    tree_init(&t);
    ck_assert_int_eq(record_file_load(t.fd, &records, &workers), 0); /* no file */
    tree_write(&t, "run/vfio-bindd/state",
               "\ngarbage\ndevice\ndevice x touched=1 previous=y\n"
               "device 0000:06:00.0 touched=1 state=releasing unheard=1 contested=0 "
               "previous=-\ndevice "
               "0000:07:00.0 touched=1\n");
    ck_assert_int_eq(record_file_load(t.fd, &records, &workers), 0);
    ck_assert_uint_eq(records.n, 2);
    ck_assert(records.v[0].touched && records.v[0].state == RECORD_RELEASING);
    ck_assert(!records.v[0].previous_driver);
    ck_assert(records.v[1].touched && records.v[1].state == RECORD_OPEN);
}
END_TEST

/* What `r` is after a restart. */
static void restart(const struct record *r, struct records *ret)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};
    struct record copy = *r;
    const struct records records = {.v = &copy, .n = 1};

    tree_init(&t);
    tree_write(&t, "run/.keep", "");
    ck_assert_int_eq(record_file_save(t.fd, &records, &workers), 0);
    ck_assert_int_eq(record_file_load(t.fd, ret, &workers), 0);
}

/* Each alone is worth a line. */
START_TEST(each_of_these_survives)
{
    static char driver[] = "nvidia";
    const struct record_past refusal = {.refused = true,
                                        .had_driver = true,
                                        .vendor = 0x8086,
                                        .device = 0x10d3,
                                        .subvendor = 0x8086,
                                        .class_code = 0x020000};
    const struct record before[] = {
        {.touched = true},
        {.state = RECORD_CONTESTED},
        {.state = RECORD_HANDING_BACK},
        {.state = RECORD_HANDED_BACK},
        {.state = RECORD_RELEASING},
        {.state = RECORD_RELEASED},
        {.arrival = ARRIVAL_PLUGGED},
        {.arrival = ARRIVAL_UNUSED},
        {.override = OVERRIDE_MAYBE},
        {.binding = BINDING_CLAIMED},
        {.binding = BINDING_CLAIMED, .fresh = true}, /* caught by an entry */
        {.placeholder = true, .offered_to = 123456789012},
        {.offer = OFFER_OWED, .offered_to = 123456789012},
        {.placeholder = true, .offer = OFFER_OWED},
        {.past = refusal},
        {.previous_driver = driver},
    };

    for (size_t i = 0; i < ELEMENTS(before); i++) {
        CLEANUP(records_done) struct records after = {0};
        restart(&before[i], &after);
        ck_assert_msg(after.n == 1, "case %zu", i);
        const struct record *a = &after.v[0], *b = &before[i];
        ck_assert(a->touched == b->touched && a->state == b->state && a->arrival == b->arrival);
        ck_assert(a->override == b->override && a->binding == b->binding && a->fresh == b->fresh);
        ck_assert(a->placeholder == b->placeholder && a->offered_to == b->offered_to);
        ck_assert(a->offer == b->offer);
        ck_assert(memcmp(&a->past, &b->past, sizeof(a->past)) == 0);
        ck_assert(streq_null(a->previous_driver, b->previous_driver));
    }
}
END_TEST

/* Of a device that no rule names only what is ours is kept, for that is still to go. */
START_TEST(what_no_rule_names)
{
    static char driver[] = "nvidia";
    static const struct {
        struct record before;
        bool survives;
    } cases[] = {
        {{.touched = true, .previous_driver = driver}, false},
        {{.state = RECORD_HANDED_BACK}, false},
        {{.arrival = ARRIVAL_UNUSED}, false},
        {{.state = RECORD_FAILED, .error = EIO, .failed_at = ACTION_PROBE}, false},
        {{.override = OVERRIDE_MAYBE}, true},
        {{.binding = BINDING_OURS}, true},
        {{.placeholder = true}, true},
        {{.offer = OFFER_DUE}, true},
        {{.state = RECORD_HANDING_BACK}, true},
        {{.touched = true, .work = WORK_STUCK}, true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(records_done) struct records after = {0};
        struct record before = cases[i].before;
        before.unnamed = true;
        restart(&before, &after);
        ck_assert_msg((after.n == 1) == cases[i].survives, "case %zu", i);
    }
}
END_TEST

/* What was under way or failed is tried again; what was certain is to be looked at. */
START_TEST(these_become_others)
{
    static const struct record before[] = {
        {.state = RECORD_RELEASE_FAILED, .error = EIO},
        {.state = RECORD_FAILED, .error = EIO, .override = OVERRIDE_OURS},
        {.state = RECORD_UNVERIFIED, .binding = BINDING_OURS},
        {.state = RECORD_FAILED, .error = EIO},
    };

    for (size_t i = 0; i < ELEMENTS(before); i++) {
        CLEANUP(records_done) struct records after = {0};
        restart(&before[i], &after);
        ck_assert_uint_eq(after.n, i < 3);
        if (i == 3)
            continue;
        const struct record *r = &after.v[0];
        ck_assert_int_eq(r->error, 0);
        ck_assert_int_eq(r->state, i == 0 ? RECORD_RELEASING : RECORD_OPEN);
        ck_assert_int_eq(r->override, i == 1 ? OVERRIDE_MAYBE : OVERRIDE_NOT_OURS);
        ck_assert_int_eq(r->binding, i == 2 ? BINDING_CLAIMED : BINDING_UNKNOWN);
    }
}
END_TEST

START_TEST(states_of_entries_survive)
{
    static const enum dynid_state states[] = {DYNID_OPEN, DYNID_BEGUN, DYNID_ARMED};

    for (size_t i = 0; i < ELEMENTS(states); i++) {
        CLEANUP(tree_done) struct tree t;
        CLEANUP(records_done) struct records records = {0}, after = {0};
        CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};
        struct dynid id;
        tree_init(&t);
        tree_write(&t, "run/.keep", "");
        ck_assert(dynid_parse("10de 20f1 ffffffff ffffffff 0 0 0", &id));
        dynids_get(&records.dynids, &id)->state = states[i];
        ck_assert_int_eq(record_file_save(t.fd, &records, &workers), 0);
        ck_assert_int_eq(record_file_load(t.fd, &after, &workers), 0);
        ck_assert(dynids_find(&after.dynids, &id)->state == states[i]);
    }
}
END_TEST

START_TEST(a_worker_that_hangs_at_an_entry)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0}, after = {0};

    tree_init(&t);
    tree_write(&t, "run/.keep", "");
    ck_assert_int_eq(recorded_workers_add(&workers, NULL, getpid()), 0);
    ck_assert_int_eq(record_file_save(t.fd, &records, &workers), 0);
    ck_assert_int_eq(record_file_load(t.fd, &records, &after), 0);
    ck_assert(after.n == 1 && after.v[0].dynid && after.v[0].pid == getpid());
}
END_TEST

START_TEST(one_daemon_at_a_time)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "run/.keep", "");
    CLEANUP_CLOSE int lock = record_file_lock(t.fd, false);
    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(record_file_lock(t.fd, false), -EWOULDBLOCK);
    closep(&lock);
    lock = record_file_lock(t.fd, false);
    ck_assert_int_ge(lock, 0);
}
END_TEST

UNIT_MAIN("record-file", round_trip, ended_workers_and_reused_pids_are_left_out,
          a_worker_that_cannot_be_looked_at, a_file_that_others_can_write,
          what_is_not_understood_is_skipped, each_of_these_survives, what_no_rule_names,
          these_become_others, states_of_entries_survive, a_worker_that_hangs_at_an_entry,
          one_daemon_at_a_time)
