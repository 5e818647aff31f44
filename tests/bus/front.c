/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front killed at any moment, a bus that goes and comes, a polkit that never answers: the
 * daemon goes on, and whoever comes later is answered. */
#include "private-bus.h"

#include <sys/wait.h>

#include "offer/bus-names.h"

#define KILLS 20
#define NOBODY 65534

static void set_up(struct private_bus *p)
{
    private_bus_start_with_gpu(p);
    private_bus_start_daemon(p);
}

static void check_answers(const struct private_bus *p, bool change)
{
    sd_bus *bus = private_bus_connect(p);
    sd_bus_message *reply = NULL;
    const char *address = "";

    ck_assert_str_eq(
        private_bus_call(bus, BUS_MANAGER_INTERFACE, "ListDevices", NULL, &reply, NULL), "");
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(sssssuo)"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "sssssuo"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "s", &address), 0);
    ck_assert_str_eq(address, GPU);
    sd_bus_message_unref(reply);
    if (change)
        ck_assert_str_eq(private_bus_call(bus, BUS_MANAGER_INTERFACE, "Bind", NULL, NULL, "st", GPU,
                                          (uint64_t)0),
                         "");
    sd_bus_flush_close_unref(bus);
    ck_assert_int_eq(waitpid(p->daemon, NULL, WNOHANG), 0);
}

/* Calls that it had are lost, and nothing else. */
static void call_in_vain(const struct private_bus *p)
{
    sd_bus *bus = private_bus_connect(p);

    for (int i = 0; i < 8; i++)
        (void)sd_bus_call_method_async(bus, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
                                       i % 2 ? "Rescan" : "Plan", NULL, NULL, NULL);
    sd_bus_flush(bus);
    sd_bus_close_unref(bus);
}

START_TEST(it_is_killed)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    for (int i = 0; i < KILLS; i++) {
        call_in_vain(&p);
        usleep((useconds_t)i * 500);
        private_bus_end(&p.front);
        private_bus_start_front(&p);
        check_answers(&p, true);
    }
}
END_TEST

/* It is stopped, and the daemon waits for nothing. */
START_TEST(it_hangs)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    kill(p.front, SIGSTOP);
    for (int i = 0; i < 100; i++)
        kill(p.daemon, SIGHUP);
    private_bus_end(&p.front);
    private_bus_start_front(&p);
    ck_assert_int_eq(waitpid(p.daemon, NULL, WNOHANG), 0);
}
END_TEST

START_TEST(the_bus_goes_and_comes)
{
    CLEANUP(private_bus_done) struct private_bus p;
    set_up(&p);
    const pid_t front = p.front;

    for (int i = 0; i < 2; i++) {
        private_bus_restart_bus(&p);
        private_bus_wait(&p);
    }
    ck_assert_int_eq(p.front, front);
    ck_assert_int_eq(waitpid(front, NULL, WNOHANG), 0);
    check_answers(&p, false);
}
END_TEST

/* Who waits for polkit keeps nobody else waiting. */
START_TEST(polkit_never_answers)
{
    CLEANUP(private_bus_done) struct private_bus p;
    int status;

    set_up(&p);
    kill(p.polkit, SIGSTOP);
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(2);
        sd_bus *bus = private_bus_connect(&p);
        _exit(*private_bus_call(bus, BUS_MANAGER_INTERFACE, "Rescan", NULL, NULL, NULL) ? 0 : 1);
    }
    for (int i = 0; i < 10; i++)
        check_answers(&p, geteuid() == 0);
    ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
    kill(p.polkit, SIGCONT);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_MAIN("bus-front", it_is_killed, it_hangs, the_bus_goes_and_comes, polkit_never_answers)
