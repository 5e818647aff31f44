/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What callers on the bus get from the daemon, whatever the policy's bytes are. */
#include "private-bus.h"

#include "base/printable.h"
#include "offer/bus-names.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ROUNDS 150

/* Everything that has texts in it is answered, and not with an error that only bad text causes. */
static void ask_everything(sd_bus *bus)
{
    static const char *const not_said[] = {"System.Error.EINVAL",
                                           "org.freedesktop.DBus.Error.Failed"};
    static const struct {
        const char *interface, *member, *types, *argument, *second;
    } calls[] = {
        {PROPERTIES, "GetAll", "s", BUS_MANAGER_INTERFACE, NULL},
        {PROPERTIES, "Get", "ss", BUS_MANAGER_INTERFACE, "PolicyErrors"},
        {"org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL, NULL},
        {BUS_MANAGER_INTERFACE, "Plan", NULL, NULL, NULL},
        {BUS_MANAGER_INTERFACE, "ListDevices", NULL, NULL, NULL},
    };

    for (size_t i = 0; i < ELEMENTS(calls); i++) {
        const char *error = private_bus_call(bus, calls[i].interface, calls[i].member, NULL, NULL,
                                             calls[i].types, calls[i].argument, calls[i].second);
        ck_assert_msg(!*error, "%s: %s", calls[i].member, error);
    }
    const char *error = private_bus_call(bus, BUS_MANAGER_INTERFACE, "Reload", NULL, NULL, NULL);
    ck_assert_msg(word_index(not_said, ELEMENTS(not_said), error) < 0, "Reload: %s", error);
}

/* A log is lines of printable text. */
static void check_log(const struct private_bus *p)
{
    CLEANUP_FREE char *log = private_bus_log(p->daemon_log);
    char *rest = log, *line;

    while ((line = strsep(&rest, "\n"))) {
        CLEANUP_FREE char *same = printable_copy(line);
        ck_assert_str_eq(line, same);
    }
}

static void put_policy(const struct private_bus *p, const char *bytes, size_t size)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/etc/vfio-bindd.conf", p->tree.path);
    CLEANUP(fclosep) FILE *f = fopen(path, "we");
    ck_assert(f && fwrite(bytes, 1, size, f) == size);
}

static void set_up(struct private_bus *p, const char *policy)
{
    private_bus_start(p);
    tree_device(&p->tree, "0000:06:00.0", MODALIAS_A100, "vfio-pci", "14");
    tree_write(&p->tree, "etc/vfio-bindd.conf", policy);
    private_bus_start_daemon(p);
}

/* Messages quote the policy, and were cut in the middle of a character. */
START_TEST(a_cut_character)
{
    static const char *const policies[] = {
        "[1234567890123456789012345678901ä]\n",
        "[device a]\nid = 10de:20f1\ndriver = \xff\n",
        "[device a]\nid = 10de:20f1\nslot = \x80\x81\xe2\x80\xae\n",
        "[device ä\xc3]\nid = 10de:20f1\n",
        "k\xf0\x9f = 1\n",
    };
    CLEANUP(private_bus_done) struct private_bus p;

    set_up(&p, "[device a]\nid = 10de:20f1\n");
    sd_bus *bus = private_bus_connect(&p);
    for (size_t i = 0; i < ELEMENTS(policies); i++) {
        put_policy(&p, policies[i], strlen(policies[i]));
        ask_everything(bus);
    }
    sd_bus_flush_close_unref(bus);
    check_log(&p);
}
END_TEST

/* Bytes that look like a policy as far as it takes to be quoted. */
static size_t random_policy(char *to, size_t size, unsigned *seed)
{
    static const char *const words[] = {
        "[device a]\n", "[device ",  "]\n", "[daemon]\n", "id = ",       "10de:20f1\n", "serial = ",
        "slot = ",      "driver = ", " = ", "\n",         "resource = ", "expect = ",   "[x:"};
    size_t n = 0, pieces = 1 + (size_t)rand_r(seed) % 40;

    for (size_t i = 0; i < pieces && n + 80 < size; i++) {
        if (rand_r(seed) % 3) {
            const char *word = words[(size_t)rand_r(seed) % ELEMENTS(words)];
            memcpy(to + n, word, strlen(word));
            n += strlen(word);
        }
        for (int k = rand_r(seed) % 60; k > 0 && rand_r(seed) % 8; k--) /* more often no ASCII */
            to[n++] = (char)(rand_r(seed) % 4 ? rand_r(seed) % 256 | 0x80 : rand_r(seed) % 256);
    }
    return n;
}

START_TEST(random_bytes)
{
    CLEANUP(private_bus_done) struct private_bus p;
    char bytes[4096];

    set_up(&p, "[device a]\nid = 10de:20f1\n");
    sd_bus *bus = private_bus_connect(&p);
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned seed = i;
        put_policy(&p, bytes, random_policy(bytes, sizeof(bytes), &seed));
        ask_everything(bus);
    }
    sd_bus_flush_close_unref(bus);
    check_log(&p);
}
END_TEST

/* Names of files and drivers are bytes, too. */
START_TEST(names_of_others)
{
    CLEANUP(private_bus_done) struct private_bus p;

    private_bus_start(&p);
    tree_device(&p.tree, "0000:06:00.0", MODALIAS_A100, "\x1b[2J\xff", "14");
    tree_write(&p.tree, "sys/bus/pci/slots/\xe9\x07/address", "0000:06:00\n");
    tree_write(&p.tree, "etc/vfio-bindd.conf.d/a\xff\x1b.conf", "[device a]\nid = 10de:20f1\n");
    private_bus_start_daemon(&p);
    sd_bus *bus = private_bus_connect(&p);
    ask_everything(bus);
    sd_bus_flush_close_unref(bus);
    check_log(&p);
}
END_TEST

UNIT_MAIN("bus-texts", a_cut_character, random_bytes, names_of_others)
