/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker process, on a made-up /sys: regular files take every write; a FIFO that nobody reads
 * blocks like a hanging remove(). */
#include "tree.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "write/worker.h"

/* Closing this file blocks. 0: none. */
static ino_t blocking;

/* In place of the library's: the last close of a VFIO device resets it, and that takes a minute if
 * the device does not answer any more. */
int close(int fd)
{
    struct stat st;

    while (blocking != 0 && fstat(fd, &st) == 0 && st.st_ino == blocking)
        pause();
    return (int)syscall(SYS_close, fd);
}

static struct op make_op(const char *address, enum action_kind kind, const char *driver)
{
    struct op op = {.kind = kind, .result = OP_NOT_DONE};

    ck_assert_int_eq(pci_addr_parse(address, &op.addr), 0);
    op.driver = driver;
    return op;
}

static int submit(struct worker *w, const struct op *ops, size_t n)
{
    memcpy(worker_room(w, n), ops, n * sizeof(*ops));
    return worker_submit(w);
}

static int wait_for(struct worker *w, int timeout_ms)
{
    struct pollfd p = {.fd = worker_fd(w), .events = POLLIN};

    return poll(&p, 1, timeout_ms) == 1 ? worker_check(w) : -ETIMEDOUT;
}

static void make_host(struct tree *t)
{
    tree_init(t);
    tree_driver(t, "vfio-pci");
    tree_driver(t, "nvidia");
    tree_device(t, "0000:06:00.0", MODALIAS_A100, "nvidia", "14");
    tree_device(t, "0000:07:00.0", MODALIAS_A100, NULL, "15");
}

START_TEST(writes_what_it_is_told)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;
    size_t n;

    make_host(&t);
    const struct op ops[] = {
        make_op("0000:06:00.0", ACTION_OVERRIDE, "vfio-pci"),
        make_op("0000:06:00.0", ACTION_UNBIND, "nvidia"),
        make_op("0000:06:00.0", ACTION_BIND, "vfio-pci"),
    };
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    for (int round = 0; round < 3; round++) { /* it stays for the next job */
        ck_assert_int_eq(submit(w, ops, 3), 0);
        ck_assert_int_eq(wait_for(w, 60000), 1);
        const struct op *done = worker_ops(w, &n);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(done[i].result, 0);
    }
    CLEANUP_FREE char *override = tree_read(&t, "sys/bus/pci/devices/0000:06:00.0/driver_override");
    CLEANUP_FREE char *unbind = tree_read(&t, "sys/bus/pci/drivers/nvidia/unbind");
    CLEANUP_FREE char *bind = tree_read(&t, "sys/bus/pci/drivers/vfio-pci/bind");
    ck_assert_str_eq(override, "vfio-pci");
    ck_assert_str_eq(unbind, "0000:06:00.0");
    ck_assert_str_eq(bind, "0000:06:00.0");
    ck_assert_ptr_null(worker_room(w, 9));
    worker_free(w);
}
END_TEST

START_TEST(each_operation_says_what_it_found)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;

    make_host(&t);
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/driver_override", "pci-stub\n");
    tree_write(&t, "sys/bus/pci/devices/0000:07:00.0/driver_override", "uio_pci_generic\n");
    const struct op ops[] = {
        make_op("0000:06:00.0", ACTION_CHECK, "vfio-pci"),
        make_op("0000:07:00.0", ACTION_CHECK, "vfio-pci"),
        make_op("0000:07:00.0", ACTION_UNBIND, "nvidia"),
    };
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    ck_assert_int_eq(submit(w, ops, 3), 0);
    ck_assert_int_eq(wait_for(w, 60000), 1);
    ck_assert_str_eq(worker_found(w, 0), "somebody else set its driver_override to pci-stub");
    ck_assert_str_eq(worker_found(w, 1),
                     "somebody else set its driver_override to uio_pci_generic");
    ck_assert_str_eq(worker_found(w, 2), "");

    /* nothing is left of it in the next job */
    tree_write(&t, "sys/bus/pci/devices/0000:07:00.0/driver_override", "\n");
    ck_assert_int_eq(submit(w, ops, 3), 0);
    ck_assert_int_eq(wait_for(w, 60000), 1);
    ck_assert_str_eq(worker_found(w, 0), "somebody else set its driver_override to pci-stub");
    ck_assert_str_eq(worker_found(w, 1), "");
    worker_free(w);
}
END_TEST

/* The kernel is asked to find a driver only if no native driver was asked by name. */
START_TEST(a_native_driver_is_asked_once)
{
    static const struct {
        const char *native; /* the driver that the device had before */
        const char *probed;
    } cases[] = {{"nvidia", ""}, {"", "0000:07:00.0"}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct worker *w;
        make_host(&t);
        tree_write(&t, "sys/bus/pci/drivers_probe", "");
        const struct op ops[] = {
            make_op("0000:07:00.0", ACTION_NATIVE, cases[i].native),
            make_op("0000:07:00.0", ACTION_PROBE, ""),
        };
        ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
        ck_assert_int_eq(submit(w, ops, 2), 0);
        ck_assert_int_eq(wait_for(w, 60000), 1);
        CLEANUP_FREE char *asked = tree_read(&t, "sys/bus/pci/drivers/nvidia/bind");
        CLEANUP_FREE char *probed = tree_read(&t, "sys/bus/pci/drivers_probe");
        ck_assert_str_eq(asked, *cases[i].native ? "0000:07:00.0" : "");
        ck_assert_str_eq(probed, cases[i].probed);
        worker_free(w);
    }
}
END_TEST

START_TEST(a_failure_ends_its_device_only)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;
    size_t n;

    make_host(&t);
    const struct op ops[] = {
        make_op("0000:06:00.0", ACTION_UNBIND, "gone"),
        make_op("0000:06:00.0", ACTION_BIND, "vfio-pci"),
        make_op("0000:07:00.0", ACTION_BIND, "vfio-pci"),
        make_op("0000:99:00.0", ACTION_OVERRIDE, "vfio-pci"),
    };
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    ck_assert_int_eq(submit(w, ops, 4), 0);
    ck_assert_int_eq(wait_for(w, 60000), 1);
    const struct op *done = worker_ops(w, &n);
    ck_assert_int_eq(done[0].result, -ENOENT);
    ck_assert_int_eq(done[1].result, OP_SKIPPED);
    ck_assert_int_eq(done[2].result, 0);
    ck_assert_int_eq(done[3].result, -ENOENT);
    worker_free(w);
}
END_TEST

/* An entry would give vfio-pci what did not get its placeholder; what is gone needs none. */
START_TEST(no_entry_over_a_device_without_placeholder)
{
    static const struct {
        const char *to_hold;
        int held, entered;
    } cases[] = {
        {"0000:07:00.0", 0, 0},
        {"0000:08:00.0", -EISDIR, OP_SKIPPED},
        {"0000:99:00.0", -ENOENT, 0},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct worker *w;
        size_t n;
        make_host(&t);
        tree_write(&t, "sys/bus/pci/drivers/vfio-pci/new_id", "");
        tree_write(&t, "sys/bus/pci/devices/0000:08:00.0/driver_override/x", "");
        const struct op ops[] = {
            make_op(cases[i].to_hold, ACTION_SET_PLACEHOLDER, ""),
            make_op("0000:00:00.0", ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0"),
        };
        ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
        ck_assert_int_eq(submit(w, ops, 2), 0);
        ck_assert_int_eq(wait_for(w, 60000), 1);
        const struct op *done = worker_ops(w, &n);
        ck_assert_int_eq(done[0].result, cases[i].held);
        ck_assert_msg(done[1].result == cases[i].entered, "case %zu: %d", i, done[1].result);
        worker_free(w);
    }
}
END_TEST

/* A virtual machine may have it: nothing is done. What could not be removed from vfio-pci's table
 * would be hit in the place of the next, and be there twice if it were written again. */
START_TEST(what_depends_on_what)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;
    size_t n;

    make_host(&t);
    tree_write(&t, "sys/bus/pci/drivers/vfio-pci/remove_id/x", "");
    tree_write(&t, "sys/bus/pci/drivers/vfio-pci/new_id", "");
    const struct op ops[] = {
        make_op("0000:00:00.0", ACTION_REMOVE_ID, "10de 20f1"),
        make_op("0000:00:00.0", ACTION_REMOVE_ID, "10de 20f2"),
        make_op("0000:00:00.0", ACTION_NEW_ID, "10de 20f1"),
        make_op("0000:00:00.0", ACTION_NEW_ID, "10de 20f3"),
        make_op("0000:06:00.0", ACTION_HOLD, "14"),
        make_op("0000:07:00.0", ACTION_UNBIND, "nvidia"),
    };
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    ck_assert_int_eq(submit(w, ops, 6), 0);
    ck_assert_int_eq(wait_for(w, 60000), 1);
    const struct op *done = worker_ops(w, &n);
    ck_assert_int_eq(done[0].result, -EISDIR);
    ck_assert_int_eq(done[1].result, OP_SKIPPED);
    ck_assert_int_eq(done[2].result, OP_SKIPPED);
    ck_assert_int_eq(done[3].result, 0);
    ck_assert_int_eq(done[4].result, -ENOENT);
    ck_assert_int_eq(done[5].result, OP_SKIPPED);
    worker_free(w);
}
END_TEST

START_TEST(a_hang_is_seen_and_cancelled)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;
    const struct op *current = NULL;
    struct op hanging;
    uint64_t since;
    size_t n;

    make_host(&t);
    unlinkat(t.fd, "sys/bus/pci/drivers/nvidia/unbind", 0);
    ck_assert_int_eq(mkfifoat(t.fd, "sys/bus/pci/drivers/nvidia/unbind", 0600), 0);
    const struct op ops[] = {
        make_op("0000:07:00.0", ACTION_BIND, "vfio-pci"),
        make_op("0000:06:00.0", ACTION_UNBIND, "nvidia"),
        make_op("0000:07:00.0", ACTION_OVERRIDE, "vfio-pci"),
    };
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    ck_assert_int_eq(submit(w, ops, 3), 0);
    ck_assert_int_eq(wait_for(w, 200), -ETIMEDOUT);
    for (int i = 0; i < 300 && !(current && current->kind == ACTION_UNBIND); i++) {
        current = worker_current(w, &since);
        usleep(10000);
    }
    ck_assert_ptr_nonnull(current);
    ck_assert(current->kind == ACTION_UNBIND && since > 0);
    ck_assert_int_eq(worker_ops(w, &n)[0].result, 0);
    ck_assert_int_eq(worker_ops(w, &n)[1].result, OP_NOT_DONE);
    ck_assert(worker_cancel(w, &hanging));
    ck_assert(hanging.kind == ACTION_UNBIND);
    /* the kernel lets go: the operation ends, the next is not begun */
    CLEANUP_CLOSE int reader =
        openat(t.fd, "sys/bus/pci/drivers/nvidia/unbind", O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    ck_assert_int_eq(wait_for(w, 60000), 1);
    ck_assert_int_eq(worker_ops(w, &n)[1].result, 0);
    ck_assert_int_eq(worker_ops(w, &n)[2].result, OP_NOT_DONE);
    worker_free(w);
}
END_TEST

/* What a job has held is let go in the time of its last operation. */
START_TEST(letting_go_takes_time_too)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;
    struct op hanging;
    struct stat st;
    uint64_t since;

    make_host(&t);
    tree_write(&t, "dev/vfio/14", "");
    ck_assert_int_eq(fstatat(t.fd, "dev/vfio/14", &st, 0), 0);
    const struct op op = make_op("0000:06:00.0", ACTION_HOLD, "14");
    blocking = st.st_ino;
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    ck_assert_int_eq(submit(w, &op, 1), 0);
    ck_assert_int_eq(wait_for(w, 500), -ETIMEDOUT);
    ck_assert_ptr_nonnull(worker_current(w, &since));
    ck_assert(worker_cancel(w, &hanging));
    ck_assert(hanging.kind == ACTION_HOLD);
    ck_assert_int_eq(kill(worker_pid(w), SIGKILL), 0);
    worker_free(w);
}
END_TEST

START_TEST(death_is_noticed)
{
    CLEANUP(tree_done) struct tree t;
    struct worker *w;

    make_host(&t);
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    ck_assert_int_eq(kill(worker_pid(w), SIGKILL), 0);
    ck_assert_int_eq(waitpid(worker_pid(w), NULL, 0), worker_pid(w));
    ck_assert_int_eq(wait_for(w, 60000), -EPIPE);
    const struct op op = make_op("0000:07:00.0", ACTION_BIND, "vfio-pci");
    ck_assert_int_lt(submit(w, &op, 1), 0);
    worker_free(w);
}
END_TEST

/* A daemon that ends while its worker is in the first of two operations. */
static void die_in_the_middle(const struct tree *t, const struct op ops[static 2])
{
    pid_t daemon = fork();
    uint64_t since;
    struct worker *w;

    ck_assert_int_ge(daemon, 0);
    if (daemon > 0) {
        ck_assert_int_eq(waitpid(daemon, NULL, 0), daemon);
        return;
    }
    if (worker_new(t->fd, 2, &w) < 0 || submit(w, ops, 2) < 0)
        _exit(1);
    while (!worker_current(w, &since))
        usleep(1000);
    usleep(50000); /* so that it is in the kernel */
    raise(SIGKILL);
}

/* What is unbound has a driver in the end, whoever died meanwhile. */
START_TEST(an_unbind_is_followed_by_its_bind)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP_FREE char *bound = NULL;
    const struct op ops[] = {make_op("0000:06:00.0", ACTION_UNBIND, "nvidia"),
                             make_op("0000:06:00.0", ACTION_BIND, "vfio-pci")};

    make_host(&t);
    unlinkat(t.fd, "sys/bus/pci/drivers/nvidia/unbind", 0);
    ck_assert_int_eq(mkfifoat(t.fd, "sys/bus/pci/drivers/nvidia/unbind", 0600), 0);
    die_in_the_middle(&t, ops);
    CLEANUP_CLOSE int reader =
        openat(t.fd, "sys/bus/pci/drivers/nvidia/unbind", O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    for (int i = 0; i < 3000 && !(bound && *bound); i++) {
        free(bound);
        usleep(10000);
        bound = tree_read(&t, "sys/bus/pci/drivers/vfio-pci/bind");
    }
    ck_assert_str_eq(bound, "0000:06:00.0");
}
END_TEST

/* Whoever cancels knows what is done yet and what is not: the rest may be another worker's. */
START_TEST(nothing_is_begun_after_a_cancel)
{
    CLEANUP(tree_done) struct tree t;
    struct op ops[64], current;
    struct worker *w;
    size_t n;

    make_host(&t);
    for (size_t i = 0; i < ELEMENTS(ops); i++)
        ops[i] = make_op("0000:07:00.0", ACTION_OVERRIDE, "vfio-pci");
    ck_assert_int_eq(worker_new(t.fd, ELEMENTS(ops), &w), 0);
    for (unsigned round = 0; round < 300; round++) {
        ck_assert_int_eq(submit(w, ops, ELEMENTS(ops)), 0);
        usleep(round % 50 * 20);
        bool under_way = worker_cancel(w, &current);
        const struct op *done = worker_ops(w, &n);
        size_t last = 0;
        while (under_way && last < n && done[last].result != OP_NOT_DONE)
            last++;
        ck_assert_int_eq(wait_for(w, 60000), 1);
        for (size_t i = last + 1; under_way && i < n; i++)
            ck_assert_msg(done[i].result == OP_NOT_DONE, "round %u, %zu after %zu", round, i, last);
    }
    worker_free(w);
}
END_TEST

/* Nothing of the daemon's may leak into a process that can outlive it. */
START_TEST(no_descriptor_is_shared)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP_CLOSE int before = open("/dev/null", O_RDONLY);
    struct worker *w;
    char path[64];
    size_t n = 0;

    make_host(&t);
    CLEANUP_CLOSE int after = open("/dev/null", O_RDONLY);
    ck_assert(before >= 0 && after >= 0);
    ck_assert_int_eq(worker_new(t.fd, 8, &w), 0);
    const struct op op = make_op("0000:07:00.0", ACTION_BIND, "vfio-pci");
    ck_assert_int_eq(submit(w, &op, 1), 0);
    ck_assert_int_eq(wait_for(w, 60000), 1); /* so that it is past its beginning */
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)worker_pid(w));
    CLEANUP(closedirp) DIR *dir = opendir(path);
    const struct dirent *e;
    while ((e = readdir(dir)))
        n += e->d_name[0] != '.';
    ck_assert_uint_eq(n, 2); /* the root folder and its socket */
    worker_free(w);
}
END_TEST

UNIT_MAIN("worker", writes_what_it_is_told, a_native_driver_is_asked_once,
          each_operation_says_what_it_found, a_failure_ends_its_device_only,
          no_entry_over_a_device_without_placeholder, what_depends_on_what,
          a_hang_is_seen_and_cancelled, letting_go_takes_time_too, death_is_noticed,
          an_unbind_is_followed_by_its_bind, nothing_is_begun_after_a_cancel,
          no_descriptor_is_shared)
