/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy on trial in the real daemon: in force, and gone by itself, with nobody to help. */
#include "private-bus.h"

#include "base/clock.h"
#include "offer/bus-names.h"
#include "policy/trial.h"

#define LASTING "/etc/vfio-bindd.conf\n"
#define TRIAL "/" TRIAL_PATH "\n"

static void set_up(struct private_bus *p)
{
    private_bus_start_with_gpu(p);
}

/* As vfio-bindd --trial does. */
static void write_trial(const struct private_bus *p, uint64_t seconds)
{
    char text[160];

    snprintf(text, sizeof(text),
             "[device t]\nid = 10de:20f1\n"
             "# vfio-bindctl apply: on trial until %llu s after power-on\n",
             (unsigned long long)(seconds_since_power_on() + seconds));
    tree_write(&p->tree, TRIAL_FOLDER "/new", text);
    ck_assert_int_eq(renameat(p->tree.fd, TRIAL_FOLDER "/new", p->tree.fd, TRIAL_PATH), 0);
}

/* The policy's files, a line each. */
static void check_files(sd_bus *bus, const char *wanted)
{
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    char found[256] = "";
    const char *file;

    ck_assert_int_ge(sd_bus_get_property(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
                                         "PolicyFiles", NULL, &m, "as"),
                     0);
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "s"), 0);
    while (sd_bus_message_read(m, "s", &file) > 0)
        if (!streq(file, "/proc/cmdline"))
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s\n", file);
    ck_assert_str_eq(found, wanted);
}

/* By a signal: only root may ask on the bus, and who builds packages is not root. */
static void reload(const struct private_bus *p)
{
    kill(p->daemon, SIGHUP);
    sleep(1);
}

START_TEST(nobody_removes_the_file)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    private_bus_start_daemon(&p);
    sd_bus *bus = private_bus_connect(&p);
    write_trial(&p, 5);
    check_files(bus, LASTING); /* it waits to be told */
    reload(&p);
    check_files(bus, TRIAL);
    sleep(6);
    check_files(bus, LASTING);
    ck_assert_int_eq(rootfs_exists(p.tree.fd, TRIAL_PATH), 1);
    sd_bus_flush_close_unref(bus);
}
END_TEST

START_TEST(the_file_goes_and_nobody_asks)
{
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p);
    write_trial(&p, 3600);
    private_bus_start_daemon(&p); /* a restart during the trial */
    sd_bus *bus = private_bus_connect(&p);
    check_files(bus, TRIAL);
    tree_write(&p.tree, "etc/vfio-bindd.conf",
               "[device a]\nids = 10de:20f1\n[device b]\nid = 1:2\n");
    ck_assert_int_eq(unlinkat(p.tree.fd, TRIAL_PATH, 0), 0);
    sleep(4);
    check_files(bus, LASTING); /* whatever it says by now */
    sd_bus_flush_close_unref(bus);
}
END_TEST

UNIT_MAIN("bus-trial", nobody_removes_the_file, the_file_goes_and_nobody_asks)
