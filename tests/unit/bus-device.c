/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which signals devices cause. Those that would be sent are only noted here. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "front/bus-device.h"
#include "offer/bus-names.h"

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
        CLEANUP_FREE char *of = bus_device_path(message_id(address(i)));
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

static struct request begun;

int bus_calls_begin(struct bus_calls *c, sd_bus_message *call, const struct request *request,
                    uint64_t flags, sd_bus_error *error)
{
    (void)c;
    (void)error;
    begun = *request;
    return flags == 7 ? sd_bus_reply_method_return(call, NULL) : -EINVAL;
}

/* -- a copy with devices 00:00.0, 01:00.0 … -- */

static void forget(void)
{
    memset(added, 0, sizeof(added));
    memset(removed, 0, sizeof(removed));
    memset(changed, 0, sizeof(changed));
}

static struct message device(unsigned i, const char *state)
{
    return (struct message){.kind = MESSAGE_DEVICE,
                            .id = message_id(address(i)),
                            .numbers = {[DEVICE_GROUP] = i},
                            .texts = {[DEVICE_STATE] = state, [DEVICE_RULE] = "all"}};
}

static void put(struct copy *c, const struct message *m)
{
    static char bytes[MESSAGE_SIZE_MAX];

    ck_assert_int_eq(copy_take(c, bytes, message_write(m, bytes)), 0);
    ck_assert_int_eq(copy_whole(c), 0);
}

static void drop(struct copy *c, unsigned i)
{
    const struct message gone = {
        .kind = MESSAGE_GONE, .id = message_id(address(i)), .numbers = {MESSAGE_DEVICE}};

    put(c, &gone);
}

static void show(struct copy *c, unsigned first, unsigned end)
{
    *c = (struct copy){.root_fd = AT_FDCWD};
    for (unsigned i = end; i-- > first;) { /* in whatever order they come */
        const struct message m = device(i, "pending");
        put(c, &m);
    }
    forget();
}

/* Until nothing is left to be told; returns in how many turns. */
static unsigned publish_all(const struct copy *c, struct publication *p)
{
    unsigned turns = 0;

    for (bool more = true; more; turns++) {
        signals = 0;
        more = bus_device_publish(NULL, c, p);
        ck_assert_uint_le(signals, 8); /* others want their turn, too */
        ck_assert_uint_lt(turns, 100);
    }
    return turns;
}

START_TEST(a_new_connection_is_told_nothing)
{
    CLEANUP(copy_done) struct copy c;
    struct publication p = {0};

    show(&c, 0, DEVICES);
    ck_assert_uint_eq(publish_all(&c, &p), 1);
    ck_assert_uint_eq(signals, 0);
    ck_assert_uint_eq(p.n, DEVICES);
    free(p.v);
}
END_TEST

START_TEST(all_changes_are_told_once_and_in_turns)
{
    CLEANUP(copy_done) struct copy c;
    struct publication p = {0};

    show(&c, 0, DEVICES);
    publish_all(&c, &p);
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct message m = device(i, "bound");
        put(&c, &m);
    }
    ck_assert_uint_gt(publish_all(&c, &p), 3);
    for (unsigned i = 0; i < DEVICES; i++)
        ck_assert_msg(changed[i] == 1, "%u: %u", i, changed[i]);
    ck_assert_str_eq(properties, "State ");
    ck_assert_uint_eq(publish_all(&c, &p), 1);
    ck_assert_uint_eq(signals, 0);
    free(p.v);
}
END_TEST

START_TEST(just_what_differs)
{
    CLEANUP(copy_done) struct copy c;
    struct publication p = {0};

    show(&c, 0, 2);
    publish_all(&c, &p);
    struct message m = device(1, "pending");
    m.texts[DEVICE_REASON] = "in-use: by somebody";
    m.texts[DEVICE_DRIVER] = "nvidia";
    m.texts[DEVICE_GROUP_NODE] = "/dev/vfio/1";
    m.texts[DEVICE_SENTENCE] = "nobody is told of this";
    m.texts[DEVICE_VIRTUAL_FUNCTIONS] = "0000:01:10.0 0000:01:10.1";
    m.numbers[DEVICE_USABLE] = m.numbers[DEVICE_UNTOUCHED] = 1;
    m.numbers[DEVICE_BOUND_USEC] = (uint64_t)1 << 40;
    put(&c, &m);
    publish_all(&c, &p);
    ck_assert_str_eq(properties,
                     "Reason Usable Driver VfioNode Untouched BoundUSec VirtualFunctions ");
    ck_assert(changed[0] == 0 && changed[1] == 1);
    m = device(0, "pending");
    m.texts[DEVICE_PHYSICAL_FUNCTION] = "0000:00:00.1";
    put(&c, &m);
    publish_all(&c, &p);
    ck_assert_str_eq(properties, "PhysicalFunction ");
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
        CLEANUP(copy_done) struct copy c;
        show(&c, steps[s].first, steps[s].end);
        for (bool more = true; more;) {
            signals = 0;
            more = bus_device_publish(NULL, &c, &p);
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

/* -- what is asked between two updates -- */

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
    char text[64]; /* a comma behind each item of a list */
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct answer *a = userdata;
    const char *text = NULL;

    (void)error;
    a->there = true;
    a->failed = sd_bus_message_is_method_error(m, NULL);
    if (a->failed || sd_bus_message_peek_type(m, NULL, NULL) <= 0)
        return 0;
    if (sd_bus_message_read(m, "v", "s", &text) >= 0)
        snprintf(a->text, sizeof(a->text), "%s", text);
    else if (sd_bus_message_enter_container(m, 'v', "as") > 0 &&
             sd_bus_message_enter_container(m, 'a', "s") > 0)
        while (sd_bus_message_read(m, "s", &text) > 0)
            snprintf(a->text + strlen(a->text), sizeof(a->text) - strlen(a->text), "%s,", text);
    return 0;
}

static void wait_for(sd_bus *server, sd_bus *client, const struct answer *answer)
{
    while (!answer->there) {
        int r = sd_bus_process(server, NULL), s = sd_bus_process(client, NULL);
        ck_assert(r >= 0 && s >= 0);
        if (r == 0 && s == 0)
            ck_assert_int_ge(sd_bus_wait(client, 1000), 0);
    }
}

static struct answer ask(sd_bus *server, sd_bus *client, struct pci_addr a, const char *property)
{
    CLEANUP_FREE char *path = bus_device_path(message_id(a));
    struct answer answer = {0};

    ck_assert_int_ge(sd_bus_call_method_async(client, NULL, NULL, path,
                                              "org.freedesktop.DBus.Properties", "Get", on_answer,
                                              &answer, "ss", BUS_DEVICE_INTERFACE, property),
                     0);
    wait_for(server, client, &answer);
    return answer;
}

static struct answer call_device(sd_bus *server, sd_bus *client, struct pci_addr a,
                                 const char *method)
{
    CLEANUP_FREE char *path = bus_device_path(message_id(a));
    struct answer answer = {0};

    begun = (struct request){.verb = VERBS};
    ck_assert_int_ge(sd_bus_call_method_async(client, NULL, NULL, path, BUS_DEVICE_INTERFACE,
                                              method, on_answer, &answer, "t", (uint64_t)7),
                     0);
    wait_for(server, client, &answer);
    return answer;
}

START_TEST(asked_while_entries_go)
{
    CLEANUP(copy_done) struct copy c;
    static const char *const asked[] = {"Address", "State", "Driver", "Reason", "Rule", "VfioNode"};
    int fds[2];

    show(&c, 0, 3);
    struct message m = device(1, "failed");
    m.texts[DEVICE_PHYSICAL_FUNCTION] = "0000:01:00.1";
    m.texts[DEVICE_VIRTUAL_FUNCTIONS] = "0000:01:10.0 0000:01:10.1";
    put(&c, &m);
    struct bus_devices devices = {.copy = &c};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    sd_bus *server = make_peer(fds[0], true), *client = make_peer(fds[1], false);
    ck_assert_int_ge(bus_device_register(server, &devices), 0);
    drop(&c, 0); /* the others are at other places now */
    drop(&c, 2);
    for (size_t i = 0; i < ELEMENTS(asked); i++)
        for (unsigned k = 0; k < 3; k++)
            ck_assert_msg(ask(server, client, address(k), asked[i]).failed == (k != 1), "%s of %u",
                          asked[i], k);
    ck_assert_str_eq(ask(server, client, address(1), "Address").text, "0000:01:00.0");
    ck_assert_str_eq(ask(server, client, address(1), "State").text, "failed");
    ck_assert_str_eq(ask(server, client, address(1), "PhysicalFunction").text, "0000:01:00.1");
    ck_assert_str_eq(ask(server, client, address(1), "VirtualFunctions").text,
                     "0000:01:10.0,0000:01:10.1,");
    for (unsigned k = 0; k < 3; k++) { /* the object is the address */
        ck_assert(call_device(server, client, address(k), "Bind").failed == (k != 1));
        ck_assert(begun.verb == (k == 1 ? VERB_BIND : VERBS));
    }
    ck_assert(!call_device(server, client, address(1), "Release").failed);
    ck_assert(begun.verb == VERB_RELEASE && pci_addr_cmp(begun.device, address(1)) == 0);
    sd_bus_close_unref(client);
    sd_bus_close_unref(server);
}
END_TEST

UNIT_MAIN("bus-device", a_new_connection_is_told_nothing, all_changes_are_told_once_and_in_turns,
          just_what_differs, devices_that_come_and_go, asked_while_entries_go)
