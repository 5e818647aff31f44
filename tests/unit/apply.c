/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on record while plans are carried out, on a made-up host where a FIFO that nobody reads
 * blocks like a hanging remove(). */
#include "tree.h"

#include "failing.h"

#include <signal.h>

#include "policy/policy.h"
#include "record-file.h"
#include "write/apply.h"

/* The first reading of /proc/PID/stat fails, if so wanted. */
static bool is_to_fail;

static int failing_call(const char *call, const char *path, int fd)
{
    const bool fails = is_to_fail && path && strstr(path, "/stat");

    (void)call;
    (void)fd;
    is_to_fail = is_to_fail && !fails;
    return fails ? EMFILE : 0;
}

#define UNBIND "sys/bus/pci/drivers/nvidia/unbind"
#define NEW_ID "sys/bus/pci/drivers/vfio-pci/new_id"
#define REMOVE_ID "sys/bus/pci/drivers/vfio-pci/remove_id"
#define ENTRY "10de 20f1 ffffffff ffffffff 0 0 0"

static const struct pci_addr gpu = {0, 6, 0, 0};

struct fixture {
    struct tree tree;
    sd_event *event;
    struct records records;
    struct apply *apply;
    unsigned done;
};

static void on_done(void *userdata, const struct pci_addr *addrs, size_t n)
{
    (void)addrs;
    (void)n;
    ((struct fixture *)userdata)->done++;
}

static void fixture_done(struct fixture *f)
{
    apply_free(f->apply);
    sd_event_unref(f->event);
    records_done(&f->records);
    tree_done(&f->tree);
}

static void make_host(struct fixture *f)
{
    *f = (struct fixture){0};
    tree_init(&f->tree);
    tree_write(&f->tree, "run/.keep", "");
    tree_driver(&f->tree, "nvidia");
    tree_write(&f->tree, NEW_ID, "");
    tree_write(&f->tree, REMOVE_ID, "");
    signal(SIGCHLD, SIG_IGN);
    ck_assert_int_ge(sd_event_new(&f->event), 0);
    ck_assert_ptr_nonnull(records_get(&f->records, gpu));
}

static void start(struct fixture *f)
{
    ck_assert_int_eq(apply_new(f->event, f->tree.fd, &f->records, on_done, f, &f->apply), 0);
    apply_set_timeout(f->apply, 3600 * USEC_PER_SEC);
}

static void make_hang(const struct fixture *f, const char *path)
{
    unlinkat(f->tree.fd, path, 0);
    ck_assert_int_eq(mkfifoat(f->tree.fd, path, 0600), 0);
}

/* The kernel lets go. Returns a descriptor to be kept open. */
static int let_go(const struct fixture *f, const char *path)
{
    return openat(f->tree.fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static void run_until_done(struct fixture *f, unsigned wanted)
{
    while (f->done < wanted) /* check ends the test after a minute */
        ck_assert_int_ge(sd_event_run(f->event, USEC_PER_SEC), 0);
}

static struct action rebind(struct pci_addr a)
{
    return (struct action){.phase = PHASE_REBIND,
                           .kind = ACTION_UNBIND,
                           .addr = a,
                           .driver = "nvidia",
                           .group = NO_GROUP};
}

static struct action entry(void)
{
    static struct dynid id;

    ck_assert(dynid_parse(ENTRY, &id));
    return (struct action){
        .phase = PHASE_DYNIDS, .kind = ACTION_NEW_ID, .driver = DYNID_DRIVER, .dynid = &id};
}

static void carry_out(struct fixture *f, struct action *actions, size_t n)
{
    ck_assert_int_ge(apply_plan(f->apply, &(struct plan){.actions = actions, .n_actions = n}), 0);
}

static bool on_file(const struct fixture *f, const char *words)
{
    CLEANUP_FREE char *text = tree_read(&f->tree, "run/vfio-bindd/state");

    return strstr(text, words);
}

/* -- before it is done -- */

START_TEST(on_file_before_anything_is_unbound)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action a = rebind(gpu);

    make_host(&f);
    start(&f);
    carry_out(&f, &a, 1); /* the worker begins in the loop */
    ck_assert(on_file(&f, "worker 0000:06:00.0 pid="));
    ck_assert(on_file(&f, "device 0000:06:00.0 touched=1 previous=nvidia"));
    run_until_done(&f, 1);
    ck_assert(!on_file(&f, "worker"));
}
END_TEST

START_TEST(on_file_before_an_entry_is_written)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action a = entry();

    make_host(&f);
    start(&f);
    carry_out(&f, &a, 1);
    ck_assert(on_file(&f, "entry state=begun learned=0 narrowed=0 added=1 id=" ENTRY));
    ck_assert(on_file(&f, "worker dynamic-ids pid=")); /* which it is that may wait there */
}
END_TEST

/* It is no native driver. */
START_TEST(a_vfio_driver_was_nobody_before)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action a = rebind(gpu);

    make_host(&f);
    start(&f);
    a.driver = "vfio-pci";
    carry_out(&f, &a, 1);
    ck_assert(!records_find(&f.records, gpu)->previous_driver);
    ck_assert(!records_find(&f.records, gpu)->touched);
}
END_TEST

START_TEST(so_many_rebinds_at_once)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action actions[40];
    unsigned under_way = 0;

    make_host(&f);
    make_hang(&f, UNBIND);
    for (unsigned i = 0; i < ELEMENTS(actions); i++) {
        actions[i] = rebind((struct pci_addr){0, (unsigned char)i, 0, 0});
        ck_assert_ptr_nonnull(records_get(&f.records, actions[i].addr));
    }
    start(&f);
    carry_out(&f, actions, ELEMENTS(actions));
    for (size_t i = 0; i < f.records.n; i++)
        under_way += record_is_in_hand(&f.records.v[i]);
    ck_assert_uint_eq(under_way, 32);
    apply_set_timeout(f.apply, 1000);
    run_until_done(&f, 64); /* each of them is left behind, then stuck: others have their turn */
    carry_out(&f, actions + 32, 8);
    for (size_t i = 0; i < ELEMENTS(actions); i++)
        ck_assert(record_is_in_hand(records_find(&f.records, actions[i].addr)));
}
END_TEST

START_TEST(of_a_group_one_after_the_other)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action actions[3];
    const bool begun[] = {true, false, true};

    make_host(&f);
    make_hang(&f, UNBIND);
    for (unsigned i = 0; i < ELEMENTS(actions); i++) {
        actions[i] = rebind((struct pci_addr){0, 1, 0, (unsigned char)i});
        actions[i].group = i < 2 ? 0 : 1;
        ck_assert_ptr_nonnull(records_get(&f.records, actions[i].addr));
    }
    start(&f);
    carry_out(&f, actions, ELEMENTS(actions));
    for (size_t i = 0; i < ELEMENTS(actions); i++)
        ck_assert(record_is_in_hand(records_find(&f.records, actions[i].addr)) == begun[i]);
    apply_set_timeout(f.apply, 1000);
    run_until_done(&f, 4); /* both are left behind, then stuck */
    carry_out(&f, &actions[1], 1);
    ck_assert(record_is_in_hand(records_find(&f.records, actions[1].addr)));
}
END_TEST

/* A worker that unbinds two devices, and of which only one is on file, would be taken for one that
 * has nothing to do with the other. */
START_TEST(on_file_is_each_device_or_nothing_begins)
{
    CLEANUP(fixture_done) struct fixture f;
    const struct pci_addr audio = {0, 6, 0, 1};
    struct action actions[3] = {rebind(gpu), rebind(gpu), rebind(audio)};

    make_host(&f);
    ck_assert_ptr_nonnull(records_get(&f.records, audio));
    for (size_t i = 0; i < ELEMENTS(actions); i++)
        actions[i].group = 14;
    actions[0].kind = ACTION_HOLD; /* the others belong to it */
    make_hang(&f, UNBIND);
    start(&f);
    is_to_fail = true;
    ck_assert_int_eq(
        apply_plan(f.apply, &(struct plan){.actions = actions, .n_actions = ELEMENTS(actions)}),
        -EMFILE);
    ck_assert(!record_is_in_hand(records_find(&f.records, gpu)));
    carry_out(&f, actions, ELEMENTS(actions));
    ck_assert(on_file(&f, "worker 0000:06:00.0 pid="));
    ck_assert(on_file(&f, "worker 0000:06:00.1 pid="));
    CLEANUP_FREE char *text = tree_read(&f.tree, "run/vfio-bindd/state");
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, "worker ")); p++)
        n++;
    ck_assert_uint_eq(n, 2); /* and none of the worker that did not begin */
}
END_TEST

/* -- when it is done -- */

START_TEST(of_another_card_at_its_address_counts_what_events_told)
{
    static const struct record_event gone = {.kind = RECORD_EVENT_DISAPPEARED},
                                     plugged = {.kind = RECORD_EVENT_APPEARED, .unused = true},
                                     bound = {.kind = RECORD_EVENT_BOUND};
    CLEANUP(fixture_done) struct fixture f;
    struct action a = rebind(gpu);

    for (int again = 0; again < 2; again++) {
        make_host(&f);
        start(&f);
        carry_out(&f, &a, 1);
        const struct record *r = records_find(&f.records, gpu);
        ck_assert(record_is_in_hand(r) && r->previous_driver);
        records_apply(&f.records, gpu, &gone);
        if (again) {
            records_apply(&f.records, gpu, &plugged);
            records_apply(&f.records, gpu, &bound);
        }
        ck_assert(record_is_in_hand(r) && record_is_replaced(r));
        run_until_done(&f, 1);
        r = records_find(&f.records, gpu);
        ck_assert(!again == !r);
        ck_assert(!r || (!record_is_in_hand(r) && !r->touched && !r->previous_driver));
        ck_assert(!r || (record_is_unused(r) && r->fresh && record_is_confirmed(r)));
        if (!again)
            fixture_done(&f);
    }
}
END_TEST

START_TEST(a_death_is_noted)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action a = rebind(gpu);
    int pid;

    make_host(&f);
    make_hang(&f, UNBIND);
    start(&f);
    carry_out(&f, &a, 1);
    CLEANUP_FREE char *text = tree_read(&f.tree, "run/vfio-bindd/state");
    const char *line = strstr(text, "worker ");
    ck_assert(line && sscanf(line, "worker 0000:06:00.0 pid=%d", &pid) == 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    run_until_done(&f, 1);
    ck_assert_uint_eq(records_find(&f.records, gpu)->attempts, 1);
    ck_assert(!record_is_in_hand(records_find(&f.records, gpu)));
}
END_TEST

/* However many operations of the device are left. */
START_TEST(a_death_is_one_attempt)
{
    static const enum action_kind kinds[] = {ACTION_CHECK, ACTION_UNBIND, ACTION_CLEAR,
                                             ACTION_NATIVE, ACTION_PROBE};
    CLEANUP(fixture_done) struct fixture f;
    struct action actions[ELEMENTS(kinds)];
    int pid;

    make_host(&f);
    tree_device(&f.tree, "0000:06:00.0", MODALIAS_A100, "vfio-pci", "14");
    make_hang(&f, UNBIND);
    start(&f);
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        actions[i] = (struct action){.phase = PHASE_RELEASE,
                                     .kind = kinds[i],
                                     .addr = gpu,
                                     .driver = "vfio-pci",
                                     .group = NO_GROUP};
    carry_out(&f, actions, ELEMENTS(actions));
    CLEANUP_FREE char *text = tree_read(&f.tree, "run/vfio-bindd/state");
    const char *line = strstr(text, "worker ");
    ck_assert(line && sscanf(line, "worker 0000:06:00.0 pid=%d", &pid) == 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    run_until_done(&f, 1);
    ck_assert_uint_eq(records_find(&f.records, gpu)->attempts, 1);
    ck_assert_int_eq(records_find(&f.records, gpu)->error, 0);
}
END_TEST

/* -- what hangs -- */

START_TEST(a_write_of_an_entry_that_hangs)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action a = entry();

    make_host(&f);
    make_hang(&f, NEW_ID);
    start(&f);
    carry_out(&f, &a, 1);
    run_until_done(&f, 1); /* left behind */
    ck_assert(f.records.dynids.hanging == 1 && !f.records.dynids.in_flight);
    ck_assert(on_file(&f, "worker dynamic-ids pid=") && on_file(&f, "state=armed"));
    CLEANUP_CLOSE int reader = let_go(&f, NEW_ID);
    ck_assert_int_ge(reader, 0);
    run_until_done(&f, 2);
    ck_assert_uint_eq(f.records.dynids.hanging, 0);
    ck_assert(!on_file(&f, "worker"));
}
END_TEST

START_TEST(what_hangs_since_an_earlier_run)
{
    CLEANUP(fixture_done) struct fixture f;
    struct recorded_workers workers = {0};
    pid_t pids[2];

    make_host(&f);
    for (size_t i = 0; i < ELEMENTS(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            pause();
            _exit(0);
        }
        ck_assert_int_eq(recorded_workers_add(&workers, i ? NULL : &gpu, pids[i]), 0);
    }
    ck_assert_int_eq(record_file_save(f.tree.fd, &f.records, &workers), 0);
    recorded_workers_done(&workers);
    start(&f);
    const struct record *r = records_find(&f.records, gpu);
    ck_assert(record_is_stuck(r) && f.records.dynids.hanging == 1);
    ck_assert(!apply_is_busy(f.apply));
    kill(pids[1], SIGKILL);
    run_until_done(&f, 1);
    ck_assert(record_is_stuck(r) && f.records.dynids.hanging == 0);
    kill(pids[0], SIGKILL);
    run_until_done(&f, 2);
    ck_assert(!record_is_in_hand(r));
    ck_assert(!on_file(&f, "worker"));
}
END_TEST

START_TEST(what_cannot_be_read_is_not_forgotten)
{
    CLEANUP(fixture_done) struct fixture f;

    make_host(&f);
    tree_write(&f.tree, "run/vfio-bindd/state/x", ""); /* a folder: EISDIR */
    ck_assert_int_eq(apply_new(f.event, f.tree.fd, &f.records, on_done, &f, &f.apply), -EISDIR);
    ck_assert_ptr_null(f.apply);
}
END_TEST

/* -- the end -- */

/* A stop while the first of two operations is under way: it is waited for, and if that takes too
 * long the worker goes on alone. */
START_TEST(stopped_between_unbind_and_bind)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action actions[] = {rebind(gpu), rebind(gpu)};
    CLEANUP_FREE char *bound = NULL;

    actions[1].kind = ACTION_BIND;
    actions[1].driver = "vfio-pci";
    make_host(&f);
    tree_driver(&f.tree, "vfio-pci");
    make_hang(&f, UNBIND);
    start(&f);
    carry_out(&f, actions, 2);
    for (int i = 0; i < 20; i++) /* until it has begun */
        ck_assert_int_ge(sd_event_run(f.event, 10000), 0);
    ck_assert_int_eq(apply_withdraw(f.apply), 0);
    ck_assert(apply_is_ending(f.apply));
    apply_free(f.apply);
    f.apply = NULL;
    CLEANUP_CLOSE int reader = let_go(&f, UNBIND);
    ck_assert_int_ge(reader, 0);
    for (int i = 0; i < 3000 && !(bound && *bound); i++) {
        free(bound);
        usleep(10000);
        bound = tree_read(&f.tree, "sys/bus/pci/drivers/vfio-pci/bind");
    }
    ck_assert_str_eq(bound, "0000:06:00.0");
}
END_TEST

START_TEST(withdrawn_is_what_also_fits_others)
{
    CLEANUP(fixture_done) struct fixture f;
    static const char *const entries[] = {ENTRY, "10de 2330 ffffffff ffffffff 0 0 0",
                                          "10de 1aef ffffffff ffffffff 0 0 0"};
    struct action a = rebind(gpu);
    struct dynid id;

    make_host(&f);
    start(&f);
    ck_assert_int_eq(apply_withdraw(f.apply), 0);
    ck_assert(!apply_is_ending(f.apply));
    for (size_t i = 0; i < ELEMENTS(entries); i++) {
        ck_assert(dynid_parse(entries[i], &id));
        struct dynid_entry *e = dynids_get(&f.records.dynids, &id);
        e->state = i < 2 ? DYNID_ARMED : DYNID_OPEN;
        e->added = i < 2 ? i + 1 : 0;
        e->narrowed = i > 0;
    }
    carry_out(&f, &a, 1);
    ck_assert_int_eq(apply_withdraw(f.apply), 0);
    ck_assert(apply_is_ending(f.apply));
    run_until_done(&f, 1);
    CLEANUP_FREE char *removed = tree_read(&f.tree, REMOVE_ID);
    ck_assert_str_eq(removed, entries[1]);
    ck_assert(dynid_parse(entries[0], &id) && dynids_find(&f.records.dynids, &id));
    ck_assert_int_eq(dynids_find(&f.records.dynids, &id)->state, DYNID_ARMED);
    for (int i = 0; i < 5; i++)
        ck_assert_int_ge(sd_event_run(f.event, 10000), 0);
    CLEANUP_FREE char *unbound = tree_read(&f.tree, UNBIND); /* that does not begin any more */
    ck_assert_str_eq(unbound, "");
}
END_TEST

/* What is still to be written would be in the table after it was removed. */
START_TEST(withdrawn_is_nothing_before_it_is_written)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action a = entry();

    make_host(&f);
    make_hang(&f, NEW_ID);
    start(&f);
    a.narrowed = true;
    carry_out(&f, &a, 1);
    ck_assert(apply_batch_is_running(f.apply));
    (void)apply_withdraw(f.apply);
    for (int i = 0; i < 10 && apply_batch_is_running(f.apply) && f.done == 0; i++)
        ck_assert_int_ge(sd_event_run(f.event, 10000), 0);
    CLEANUP_FREE char *early = tree_read(&f.tree, REMOVE_ID);
    ck_assert_str_eq(early, "");
    CLEANUP_CLOSE int reader = let_go(&f, NEW_ID);
    ck_assert_int_ge(reader, 0);
    run_until_done(&f, 1);
    ck_assert_int_eq(apply_withdraw(f.apply), 0); /* the caller tries again */
    run_until_done(&f, 2);
    CLEANUP_FREE char *removed = tree_read(&f.tree, REMOVE_ID);
    ck_assert_str_eq(removed, ENTRY);
    ck_assert(!on_file(&f, "entry state=armed"));
}
END_TEST

UNIT_MAIN("apply", a_vfio_driver_was_nobody_before, on_file_before_anything_is_unbound,
          on_file_before_an_entry_is_written, so_many_rebinds_at_once,
          of_a_group_one_after_the_other, on_file_is_each_device_or_nothing_begins,
          of_another_card_at_its_address_counts_what_events_told, a_death_is_noted,
          a_death_is_one_attempt, a_write_of_an_entry_that_hangs, what_hangs_since_an_earlier_run,
          what_cannot_be_read_is_not_forgotten, stopped_between_unbind_and_bind,
          withdrawn_is_what_also_fits_others, withdrawn_is_nothing_before_it_is_written)
