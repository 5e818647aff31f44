/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which signals devices cause. Those that would be sent are only noted here. */
#include "unit.h"

#include <sys/socket.h>

#include "offer/bus-names.h"
#include "tell/bus-device.h"

#define DEVICES 30

static unsigned added[DEVICES], removed[DEVICES], changed[DEVICES], signals;
static char properties[256]; /* of the last change */

static struct pci_addr address(unsigned i)
{
    return (struct pci_addr){0, (unsigned char)i, 0, 0};
}

static unsigned *counter(unsigned *counters, const char *path)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        CLEANUP_FREE char *of = bus_device_path(address(i));
        if (streq(of, path))
            return &counters[i];
    }
    ck_abort_msg("%s", path);
}

int sd_bus_emit_object_added(sd_bus *bus, const char *path)
{
    (void)bus;
    signals++;
    ++*counter(added, path);
    return 0;
}

int sd_bus_emit_interfaces_removed(sd_bus *bus, const char *path, const char *interface, ...)
{
    (void)bus;
    (void)interface;
    signals++;
    ++*counter(removed, path);
    return 0;
}

int sd_bus_emit_properties_changed_strv(sd_bus *bus, const char *path, const char *interface,
                                        char **names)
{
    (void)bus;
    (void)interface;
    signals++;
    ++*counter(changed, path);
    *properties = '\0';
    for (; *names; names++) {
        strcat(properties, *names);
        strcat(properties, " ");
    }
    return 0;
}

/* -- a view of devices 00:00.0, 01:00.0 … -- */

static struct rule rule;
static char name[] = "all";
static struct verdict verdicts[DEVICES];

static void view_done(struct view *v)
{
    groups_done(&v->plan.groups);
    snapshot_done(&v->snapshot);
    records_done(&v->records);
}

static void forget(void)
{
    memset(added, 0, sizeof(added));
    memset(removed, 0, sizeof(removed));
    memset(changed, 0, sizeof(changed));
}

static void show(struct view *v, unsigned first, unsigned end)
{
    *v = (struct view){0};
    rule.name = name;
    for (unsigned i = first; i < end; i++) {
        const struct device d = {.addr = address(i), .group = i};
        ck_assert_int_eq(snapshot_put(&v->snapshot, &d), 0);
        verdicts[i - first] =
            (struct verdict){.addr = address(i), .rule = &rule, .state = STATE_PENDING};
    }
    v->plan = (struct plan){.verdicts = verdicts, .n_verdicts = end - first};
    ck_assert_int_eq(groups_make(&v->snapshot, &v->plan.groups), 0);
    forget();
}

/* Until nothing is left to be told; returns in how many turns. */
static unsigned publish_all(const struct view *v, struct publication *p)
{
    unsigned turns = 0;

    for (bool more = true; more; turns++) {
        signals = 0;
        more = bus_device_publish(NULL, v, p);
        ck_assert_uint_le(signals, 8); /* others want their turn, too */
        ck_assert_uint_lt(turns, 100);
    }
    return turns;
}

START_TEST(a_new_connection_is_told_nothing)
{
    CLEANUP(view_done) struct view v;
    struct publication p = {0};

    show(&v, 0, DEVICES);
    ck_assert_uint_eq(publish_all(&v, &p), 1);
    ck_assert_uint_eq(signals, 0);
    ck_assert_uint_eq(p.n, DEVICES);
    free(p.v);
}
END_TEST

START_TEST(all_changes_are_told_once_and_in_turns)
{
    CLEANUP(view_done) struct view v;
    struct publication p = {0};

    show(&v, 0, DEVICES);
    publish_all(&v, &p);
    for (unsigned i = 0; i < DEVICES; i++)
        verdicts[i].state = STATE_BOUND;
    ck_assert_uint_gt(publish_all(&v, &p), 3);
    for (unsigned i = 0; i < DEVICES; i++)
        ck_assert_msg(changed[i] == 1, "%u: %u", i, changed[i]);
    ck_assert_str_eq(properties, "State ");
    ck_assert_uint_eq(publish_all(&v, &p), 1);
    ck_assert_uint_eq(signals, 0);
    free(p.v);
}
END_TEST

START_TEST(just_what_differs)
{
    CLEANUP(view_done) struct view v;
    struct publication p = {0};

    show(&v, 0, 2);
    publish_all(&v, &p);
    verdicts[1].reason = REASON_IN_USE;
    verdicts[1].usable = true;
    v.snapshot.devices[1].driver = snapshot_name(&v.snapshot, "nvidia");
    v.snapshot.devices[1].node = true;
    records_get(&v.records, v.snapshot.devices[1].addr)->touched = true;
    publish_all(&v, &p);
    ck_assert_str_eq(properties, "Reason Usable Driver VfioNode Untouched BoundUSec ");
    ck_assert(changed[0] == 0 && changed[1] == 1);
    free(p.v);
}
END_TEST

/* Behind Intel's VMD an address has a character more: the last one counts as well. */
START_TEST(members_of_a_large_domain)
{
    CLEANUP(view_done) struct view v;
    struct publication p = {0};
    struct device other = {.addr = {0x10000, 1, 0, 0}, .group = 1};

    show(&v, 0, 2);
    ck_assert_int_eq(snapshot_put(&v.snapshot, &other), 0);
    groups_done(&v.plan.groups);
    ck_assert_int_eq(groups_make(&v.snapshot, &v.plan.groups), 0);
    publish_all(&v, &p);
    snapshot_remove(&v.snapshot, other.addr);
    other.addr.fn = 1;
    ck_assert_int_eq(snapshot_put(&v.snapshot, &other), 0);
    groups_done(&v.plan.groups);
    ck_assert_int_eq(groups_make(&v.snapshot, &v.plan.groups), 0);
    publish_all(&v, &p);
    ck_assert_str_eq(properties, "GroupMembers ");
    ck_assert(changed[0] == 0 && changed[1] == 1);
    free(p.v);
}
END_TEST

/* 10 to 19 are there, then 0 to 29, then 5 to 14. */
START_TEST(devices_that_come_and_go)
{
    struct publication p = {0};
    static const struct {
        unsigned first, end;
    } steps[] = {{10, 20}, {0, 30}, {5, 15}};

    for (size_t s = 0; s < ELEMENTS(steps); s++) {
        CLEANUP(view_done) struct view v;
        show(&v, steps[s].first, steps[s].end);
        for (bool more = true; more;) {
            signals = 0;
            more = bus_device_publish(NULL, &v, &p);
            ck_assert_uint_lt(p.n, DEVICES + 1);
        }
        for (unsigned i = 0; s > 0 && i < DEVICES; i++) {
            bool before = i >= steps[s - 1].first && i < steps[s - 1].end;
            bool now = i >= steps[s].first && i < steps[s].end;
            ck_assert_msg(added[i] == (now && !before), "%u", i);
            ck_assert_msg(removed[i] == (before && !now), "%u", i);
            ck_assert_uint_eq(changed[i], 0);
        }
    }
    free(p.v);
}
END_TEST

/* -- what is asked between two plans -- */

static sd_bus *make_peer(int fd, bool server)
{
    sd_bus *bus = NULL;
    sd_id128_t id;

    ck_assert_int_ge(sd_id128_randomize(&id), 0);
    ck_assert_int_ge(sd_bus_new(&bus), 0);
    ck_assert_int_ge(sd_bus_set_fd(bus, fd, fd), 0);
    if (server)
        ck_assert_int_ge(sd_bus_set_server(bus, true, id), 0);
    ck_assert_int_ge(sd_bus_set_anonymous(bus, true), 0);
    ck_assert_int_ge(sd_bus_start(bus), 0);
    return bus;
}

struct answer {
    bool there, failed;
    char text[32];
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct answer *a = userdata;
    const char *text = NULL;

    (void)error;
    a->there = true;
    a->failed = sd_bus_message_is_method_error(m, NULL);
    if (!a->failed && sd_bus_message_read(m, "v", "s", &text) >= 0)
        snprintf(a->text, sizeof(a->text), "%s", text);
    return 0;
}

static struct answer ask(sd_bus *server, sd_bus *client, struct pci_addr a, const char *property)
{
    CLEANUP_FREE char *path = bus_device_path(a);
    struct answer answer = {0};

    ck_assert_int_ge(sd_bus_call_method_async(client, NULL, NULL, path,
                                              "org.freedesktop.DBus.Properties", "Get", on_answer,
                                              &answer, "ss", BUS_DEVICE_INTERFACE, property),
                     0);
    while (!answer.there) {
        int r = sd_bus_process(server, NULL), s = sd_bus_process(client, NULL);
        ck_assert(r >= 0 && s >= 0);
        if (r == 0 && s == 0)
            ck_assert_int_ge(sd_bus_wait(client, 1000), 0);
    }
    return answer;
}

/* Unbind events are taken, the next plan is made 100 ms later: the snapshot is another by then. */
START_TEST(asked_while_the_snapshot_changes)
{
    CLEANUP(view_done) struct view v;
    static const char *const asked[] = {"Address", "State", "Driver", "Reason", "Rule", "VfioNode"};
    int fds[2];

    show(&v, 0, 3);
    verdicts[1].state = STATE_FAILED;
    verdicts[1].reason = REASON_KERNEL_ERROR;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    sd_bus *server = make_peer(fds[0], true), *client = make_peer(fds[1], false);
    ck_assert_int_ge(bus_device_register(server, &v), 0);
    snapshot_remove(&v.snapshot, address(0)); /* the others are at other places now */
    snapshot_remove(&v.snapshot, address(2));
    for (size_t i = 0; i < ELEMENTS(asked); i++)
        for (unsigned k = 0; k < 3; k++)
            ck_assert_msg(ask(server, client, address(k), asked[i]).failed == (k != 1), "%s of %u",
                          asked[i], k);
    ck_assert_str_eq(ask(server, client, address(1), "Address").text, "0000:01:00.0");
    ck_assert_str_eq(ask(server, client, address(1), "State").text, "failed");
    sd_bus_close_unref(client);
    sd_bus_close_unref(server);
}
END_TEST

UNIT_MAIN("bus-device", a_new_connection_is_told_nothing, all_changes_are_told_once_and_in_turns,
          just_what_differs, members_of_a_large_domain, devices_that_come_and_go,
          asked_while_the_snapshot_changes)
