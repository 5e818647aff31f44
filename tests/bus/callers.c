/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may change something, what polkit is told, and that every request is in the log; and what a
 * caller cannot do: have the daemon hold descriptors, or keep it busy. */
#include "private-bus.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "front/bus-calls.h"
#include "offer/bus-names.h"

#define GPU_PATH BUS_DEVICE_PREFIX "/_30000_3a06_3a00_2e0"
#define NOBODY 65534
#define MANY 64   /* devices, of all of which a call tells */
#define CALLS 400 /* more than a budget, on slow machines as well */
#define USERS_CALLS (PENDING_USER_MAX + 14)

static const char *const denied = "org.freedesktop.DBus.Error.AccessDenied";
static const char *const limits_exceeded = "org.freedesktop.DBus.Error.LimitsExceeded";

/* A device that is on vfio-pci already: nothing is to be done. */
static void set_up(struct private_bus *p)
{
    private_bus_start_with_gpu(p);
    private_bus_start_daemon(p);
}

static void set_up_many(struct private_bus *p)
{
    private_bus_start(p);
    tree_driver(&p->tree, "vfio-pci");
    for (unsigned i = 0; i < MANY; i++) {
        char address[16], group[16];
        snprintf(address, sizeof(address), "0000:%02x:00.0", 6 + i);
        snprintf(group, sizeof(group), "%u", 14 + i);
        tree_device(&p->tree, address, MODALIAS_A100, "vfio-pci", group);
    }
    tree_write(&p->tree, "etc/vfio-bindd.conf", "[device a]\nid = 10de:20f1\n");
    private_bus_start_daemon(p);
}

static bool is_in_log(const char *path, const char *words)
{
    CLEANUP_FREE char *log = private_bus_log(path);

    return strstr(log, words) != NULL;
}

static void check_log(const char *path, const char *format, ...) PRINTF(2, 3);

static void check_log(const char *path, const char *format, ...)
{
    char words[256];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    for (int i = 0; i < 200 && !is_in_log(path, words); i++) /* the daemon's, of what is denied */
        usleep(50000);
    CLEANUP_FREE char *log = private_bus_log(path);
    ck_assert_msg(strstr(log, words) != NULL, "\"%s\" is not in\n%s", words, log);
}

/* In a process that is not root's. Returns its PID. */
static pid_t as_another_user(const struct private_bus *p, void (*act)(sd_bus *bus))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(2);
        sd_bus *bus = private_bus_connect(p);
        act(bus);
        sd_bus_flush_close_unref(bus);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    return pid;
}

static void must(bool holds)
{
    if (!holds)
        _exit(1);
}

static const char *manager_call(sd_bus *bus, const char *member)
{
    return private_bus_call(bus, BUS_MANAGER_INTERFACE, member, NULL, NULL, NULL);
}

static const char *device_call(sd_bus *bus, const char *member)
{
    return private_bus_call(bus, BUS_MANAGER_INTERFACE, member, NULL, NULL, "st", GPU, (uint64_t)0);
}

/* The same of the device's own object. */
static const char *object_call(sd_bus *bus, const char *member, uint64_t flags)
{
    return private_bus_call_at(bus, GPU_PATH, BUS_DEVICE_INTERFACE, member, NULL, NULL, "t", flags);
}

/* The polkit of these tests lets others manage devices, and nothing else. */
static void act_as_other(sd_bus *bus)
{
    must(streq(manager_call(bus, "Rescan"), denied));
    must(streq(manager_call(bus, "Reload"), denied));
    must(streq(device_call(bus, "Bind"), ""));
    must(!streq(device_call(bus, "Release"), denied));
}

START_TEST(polkit_is_asked)
{
    CLEANUP(private_bus_done) struct private_bus p;
    unsigned uid = geteuid() == 0 ? NOBODY : geteuid();

    set_up(&p);
    pid_t pid = as_another_user(&p, act_as_other);
    check_log(p.polkit_log, "org.vfio.Bindd1.reload verb=rescan\n");
    check_log(p.polkit_log, "org.vfio.Bindd1.reload verb=reload\n");
    check_log(p.polkit_log, "org.vfio.Bindd1.manage-devices verb=bind device=" GPU " ");
    check_log(p.polkit_log, "org.vfio.Bindd1.manage-devices verb=release device=" GPU " ");
    check_log(p.daemon_log, "rescan: requested by uid %u (PID %d", uid, (int)pid);
    check_log(p.daemon_log, "over D-Bus, according to vfio-bindd-front: not permitted");
    check_log(p.daemon_log, "bind " GPU ": requested by uid %u (PID %d", uid, (int)pid);
    check_log(p.daemon_log, "release " GPU ": requested by uid %u (PID %d", uid, (int)pid);
    ck_assert(!is_in_log(p.daemon_log, "bind " GPU ": not permitted"));
}
END_TEST

START_TEST(root_is_written_down)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    sd_bus *bus = private_bus_connect(&p);
    manager_call(bus, "Reload");
    manager_call(bus, "Rescan");
    device_call(bus, "Bind");
    device_call(bus, "Release");
    private_bus_call(bus, BUS_MANAGER_INTERFACE, "Bind", NULL, NULL, "st", "0000:7f:00.0",
                     (uint64_t)0);
    sd_bus_flush_close_unref(bus);
    for (size_t i = 0; i < 4; i++) {
        static const char *const what[] = {"reload", "rescan", "bind " GPU, "release " GPU};
        check_log(p.daemon_log, "%s: requested by uid %u (PID %d", what[i], geteuid(),
                  (int)getpid());
    }
    if (geteuid() == 0) {
        check_log(p.daemon_log, "bind 0000:7f:00.0: requested by uid 0");
        check_log(p.daemon_log,
                  "over D-Bus, according to vfio-bindd-front: there is no PCI device 0000:7f:00.0");
        ck_assert(!is_in_log(p.polkit_log, "Bindd1"));
    }
}
END_TEST

static size_t count_in(const char *text, const char *words)
{
    size_t n = 0;

    for (const char *at = strstr(text, words); at; at = strstr(at + 1, words))
        n++;
    return n;
}

/* Only root may: the caller gets the first error. */
static void reload_in_vain(const struct private_bus *p)
{
    CLEANUP_FREE char *message = NULL;
    sd_bus *bus = private_bus_connect(p);

    private_bus_call(bus, BUS_MANAGER_INTERFACE, "Reload", &message, NULL, NULL);
    sd_bus_flush_close_unref(bus);
    ck_assert_msg(strstr(message, "unknown key \"colour\"") != NULL, "%s", message);
    check_log(p->daemon_log, "vfio-bindd-front: the policy has errors");
}

/* The journal has each of them once. */
START_TEST(errors_of_a_policy_are_logged_once)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    tree_write(&p.tree, "etc/vfio-bindd.conf", "[device a]\nid = 10de:20f1\ncolour = red\n");
    if (geteuid() == 0)
        reload_in_vain(&p);
    else
        kill(p.daemon, SIGHUP);
    check_log(p.daemon_log, "the one in force stays");
    CLEANUP_FREE char *log = private_bus_log(p.daemon_log);
    ck_assert_msg(count_in(log, "unknown key \"colour\"") == 1, "%s", log);
}
END_TEST

START_TEST(so_is_a_signal)
{
    CLEANUP(private_bus_done) struct private_bus p;
    char words[96];

    set_up(&p);
    kill(p.daemon, SIGHUP);
    snprintf(words, sizeof(words), "reload: requested by uid %u (PID %d", geteuid(), (int)getpid());
    for (int i = 0; i < 200 && !is_in_log(p.daemon_log, words); i++)
        usleep(50000);
    check_log(p.daemon_log, "%s", words);
    check_log(p.daemon_log, "by a signal");
}
END_TEST

/* -- the methods of a device's object: who calls is treated the same -- */

static void bind_and_release_object(sd_bus *bus)
{
    must(streq(object_call(bus, "Bind", 0), ""));
    must(!streq(object_call(bus, "Release", 0), denied));
}

START_TEST(polkit_is_asked_for_an_object)
{
    CLEANUP(private_bus_done) struct private_bus p;
    unsigned uid = geteuid() == 0 ? NOBODY : geteuid();

    set_up(&p);
    pid_t pid = as_another_user(&p, bind_and_release_object);
    check_log(p.polkit_log, "org.vfio.Bindd1.manage-devices verb=bind device=" GPU " ");
    check_log(p.polkit_log, "org.vfio.Bindd1.manage-devices verb=release device=" GPU " ");
    check_log(p.daemon_log, "bind " GPU ": requested by uid %u (PID %d", uid, (int)pid);
    check_log(p.daemon_log, "release " GPU ": requested by uid %u (PID %d", uid, (int)pid);
}
END_TEST

static void find_objects_closed(sd_bus *bus)
{
    must(streq(object_call(bus, "Bind", 0), denied));
    must(streq(object_call(bus, "Release", 0), denied));
}

START_TEST(an_object_is_closed_without_polkit)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    private_bus_end(&p.polkit);
    if (geteuid() == 0) { /* else all calls are denied */
        sd_bus *bus = private_bus_connect(&p);
        ck_assert_str_eq(object_call(bus, "Bind", 0), "");
        sd_bus_flush_close_unref(bus);
    }
    pid_t pid = as_another_user(&p, find_objects_closed);
    for (int i = 0; i < 2; i++)
        check_log(p.daemon_log, "%s " GPU ": requested by uid %u (PID %d", i ? "bind" : "release",
                  geteuid() == 0 ? NOBODY : geteuid(), (int)pid);
    check_log(p.daemon_log, "over D-Bus, according to vfio-bindd-front: not permitted");
}
END_TEST

START_TEST(an_object_takes_what_it_shows)
{
    CLEANUP(private_bus_done) struct private_bus p;
    static const char *const invalid = "org.freedesktop.DBus.Error.InvalidArgs";
    static const char *const shown[] = {
        "\"PhysicalFunction\" type=\"s\"", "\"VirtualFunctions\" type=\"as\"",
        "<method name=\"Bind\">\n   <arg type=\"t\" name=\"flags\"",
        "<method name=\"Release\">\n   <arg type=\"t\" name=\"flags\""};
    sd_bus_message *reply;
    const char *text;

    set_up(&p);
    sd_bus *bus = private_bus_connect(&p);
    ck_assert_str_eq(private_bus_call_at(bus, GPU_PATH, "org.freedesktop.DBus.Introspectable",
                                         "Introspect", NULL, &reply, NULL),
                     "");
    ck_assert_int_gt(sd_bus_message_read(reply, "s", &text), 0);
    for (size_t i = 0; i < ELEMENTS(shown); i++)
        ck_assert_msg(strstr(text, shown[i]) != NULL, "no %s in\n%s", shown[i], text);
    sd_bus_message_unref(reply);
    ck_assert_str_eq(object_call(bus, "Bind", 7), invalid);
    ck_assert_str_eq(object_call(bus, "Release", UINT64_MAX), invalid);
    ck_assert_str_eq(private_bus_call_at(bus, GPU_PATH, BUS_DEVICE_INTERFACE, "Bind", NULL, NULL,
                                         "st", GPU, (uint64_t)0),
                     invalid);
    ck_assert_str_ne(private_bus_call_at(bus, BUS_DEVICE_PREFIX "/_30000_3a7f_3a00_2e0",
                                         BUS_DEVICE_INTERFACE, "Bind", NULL, NULL, "t",
                                         (uint64_t)0),
                     "");
    ck_assert(!is_in_log(p.daemon_log, "requested by"));
    sd_bus_flush_close_unref(bus);
}
END_TEST

/* -- many calls -- */

/* Of those who may not, a few are told. */
static void ask_in_vain(sd_bus *bus)
{
    for (int i = 0; i < 100; i++)
        must(streq(manager_call(bus, "Rescan"), denied));
}

START_TEST(a_log_that_others_cannot_fill)
{
    CLEANUP(private_bus_done) struct private_bus p;
    unsigned n = 0;

    set_up(&p);
    as_another_user(&p, ask_in_vain);
    CLEANUP_FREE char *log = private_bus_log(p.daemon_log);
    for (const char *at = log; (at = strstr(at, "not permitted")); at++)
        n++;
    ck_assert_uint_ge(n, 10);
    ck_assert_uint_le(n, 30);
}
END_TEST

/* Until it is ended. */
static void ask_without_end(sd_bus *bus)
{
    for (;;) {
        (void)sd_bus_call_method_async(bus, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
                                       "Rescan", NULL, NULL, NULL);
        while (sd_bus_process(bus, NULL) > 0)
            ;
        usleep(500);
    }
}

/* They reach the daemon as a few messages, so that those who may are not behind them. */
START_TEST(those_who_may_not_keep_nobody_waiting)
{
    CLEANUP(private_bus_done) struct private_bus p;

    if (geteuid() != 0) /* then all calls are the same user's */
        return;
    set_up(&p);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
            _exit(2);
        ask_without_end(private_bus_connect(&p));
    }
    check_log(p.daemon_log, "rescan: requested by uid %d", NOBODY);
    sleep(1);
    sd_bus *bus = private_bus_connect(&p);
    for (int i = 0; i < 10; i++) {
        const uint64_t start = now_usec();
        ck_assert_str_eq(device_call(bus, "Bind"), "");
        ck_assert_uint_lt(now_usec() - start, 2 * USEC_PER_SEC);
    }
    sd_bus_flush_close_unref(bus);
    private_bus_end(&pid);
}
END_TEST

static int count_refusal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    unsigned *refused = userdata;

    (void)error;
    *refused += sd_bus_message_is_method_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED);
    return 0;
}

/* More than may wait, of both kinds of objects. Ends when the rest was refused: those that wait are
 * not answered. */
static void fill_what_waits(sd_bus *bus)
{
    unsigned refused = 0;

    for (unsigned i = 0; i < USERS_CALLS; i++) {
        if (i % 2)
            (void)sd_bus_call_method_async(bus, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
                                           "Bind", count_refusal, &refused, "st", GPU, (uint64_t)0);
        else
            (void)sd_bus_call_method_async(bus, NULL, BUS_NAME, GPU_PATH, BUS_DEVICE_INTERFACE,
                                           "Bind", count_refusal, &refused, "t", (uint64_t)0);
        while (sd_bus_process(bus, NULL) > 0)
            ;
        usleep(20000); /* only so many of one user's may be with polkit */
    }
    for (int i = 0; i < 500 && refused < USERS_CALLS - PENDING_USER_MAX; i++) {
        if (sd_bus_process(bus, NULL) == 0)
            (void)sd_bus_wait(bus, 10000);
    }
    must(refused >= USERS_CALLS - PENDING_USER_MAX);
}

static int take_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char **answer = userdata;
    const sd_bus_error *e = sd_bus_message_get_error(m);

    (void)error;
    *answer = e ? e->message : "";
    return 0;
}

/* While the daemon hangs, others cannot use up what may wait. */
START_TEST(root_has_room_while_others_wait)
{
    CLEANUP(private_bus_done) struct private_bus p;
    const char *answer = NULL;

    if (geteuid() != 0) /* then all calls are the same user's */
        return;
    set_up(&p);
    kill(p.daemon, SIGSTOP);
    as_another_user(&p, fill_what_waits);
    sd_bus *bus = private_bus_connect(&p);
    ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
                                              "Rescan", take_answer, &answer, NULL),
                     0);
    for (int i = 0; i < 20; i++) {
        while (sd_bus_process(bus, NULL) > 0)
            ;
        usleep(20000);
    }
    ck_assert_ptr_null(answer);
    kill(p.daemon, SIGCONT);
    for (int i = 0; i < 3000 && !answer; i++)
        if (sd_bus_process(bus, NULL) == 0)
            (void)sd_bus_wait(bus, 10000);
    ck_assert_ptr_nonnull(answer);
    ck_assert_str_eq(answer, "");
    sd_bus_flush_close_unref(bus);
}
END_TEST

START_TEST(no_descriptors)
{
    CLEANUP(private_bus_done) struct private_bus p;
    CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

    set_up(&p);
    sd_bus *bus = private_bus_connect(&p);
    int r = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Rescan", &error,
                               NULL, "h", STDERR_FILENO);
    ck_assert_int_lt(r, 0);
    ck_assert_msg(streq(error.name, SD_BUS_ERROR_NOT_SUPPORTED), "%s", error.name);
    sd_bus_flush_close_unref(bus);
}
END_TEST

START_TEST(a_budget_for_each)
{
    CLEANUP(private_bus_done) struct private_bus p;
    unsigned refused = 0;

    set_up_many(&p);
    sd_bus *flood = private_bus_connect(&p), *other = private_bus_connect(&p);
    for (int i = 0; i < CALLS; i++)
        refused += streq(manager_call(flood, "ListDevices"), limits_exceeded);
    ck_assert_uint_gt(refused, 0);
    if (geteuid() == 0) /* root's connections do not hurt each other */
        ck_assert_str_eq(manager_call(other, "ListDevices"), "");
    sleep(1);
    ck_assert_str_eq(manager_call(flood, "ListDevices"), "");
    sd_bus_flush_close_unref(flood);
    sd_bus_flush_close_unref(other);
}
END_TEST

/* Of somebody who has many connections, whatever each of them has spent. */
static void call_over_many(sd_bus *bus)
{
    unsigned refused = 0;

    for (int c = 0; c < 8; c++) {
        sd_bus *one = private_bus_connect(NULL);
        for (int i = 0; i < CALLS / 8; i++)
            refused += streq(manager_call(one, "ListDevices"), limits_exceeded);
        sd_bus_flush_close_unref(one);
    }
    must(refused > 0);
    (void)bus;
}

START_TEST(one_budget_for_a_user)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up_many(&p);
    as_another_user(&p, call_over_many);
    sd_bus *bus = private_bus_connect(&p);
    if (geteuid() == 0)
        ck_assert_str_eq(manager_call(bus, "ListDevices"), "");
    sd_bus_flush_close_unref(bus);
}
END_TEST

UNIT_MAIN("bus-callers", polkit_is_asked, root_is_written_down, errors_of_a_policy_are_logged_once,
          so_is_a_signal, polkit_is_asked_for_an_object, an_object_is_closed_without_polkit,
          an_object_takes_what_it_shows, a_log_that_others_cannot_fill,
          those_who_may_not_keep_nobody_waiting, root_has_room_while_others_wait, no_descriptors,
          a_budget_for_each, one_budget_for_a_user)
