/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus.h"

#include <errno.h>

#include "base/clock.h"
#include "front/bus-budget.h"
#include "front/bus-calls.h"
#include "front/bus-device.h"
#include "front/bus-log.h"
#include "front/bus-manager.h"
#include "front/bus-text.h"
#include "offer/bus-names.h"

#define SOCKET "unix:path=/run/dbus/system_bus_socket"
/* Delay between attempts if the bus is there but does not accept us. */
#define RETRY_USEC (2 * USEC_PER_SEC)

struct bus {
    sd_event *event;
    const struct copy *copy;
    sd_bus *bus; /* NULL while there is no connection */
    sd_event_source *retry, *more;
    bool told_of_name; /* it has been logged that the name is taken */
    struct publication published;
    struct bus_calls calls;
    struct bus_manager manager;
    struct bus_devices devices;
    struct bus_log log;
    struct bus_budgets budgets;
};

/* -- the connection -- */

static int connect_bus(struct bus *b);

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct bus *b = userdata;

    (void)source;
    (void)usec;
    b->retry = sd_event_source_unref(b->retry);
    (void)connect_bus(b);
    return 0;
}

/* Does not free the connection, since one of its callbacks may be the caller. connect_bus() frees
 * it. */
static void disconnect_and_retry(struct bus *b)
{
    bus_calls_forget(&b->calls);
    free(b->published.v);
    b->published = (struct publication){0};
    if (!b->retry)
        (void)sd_event_add_time_relative(b->event, &b->retry, CLOCK_MONOTONIC, RETRY_USEC, 0,
                                         on_retry, b);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)m;
    (void)error;
    fprintf(stderr, "<7>the connection to the bus is lost: waiting for the bus\n");
    disconnect_and_retry(userdata);
    return 0;
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const sd_bus_error *e = sd_bus_message_get_error(m);
    enum { PRIMARY_OWNER = 1, ALREADY_OWNER = 4 }; /* the D-Bus specification's */
    struct bus *b = userdata;
    uint32_t answer = 0;

    (void)error;
    if (!e)
        (void)sd_bus_message_read(m, "u", &answer);
    if (answer == PRIMARY_OWNER || answer == ALREADY_OWNER) {
        bus_update(b);
        return 1;
    }
    if (!b->told_of_name)
        fprintf(stderr,
                "<4>cannot get the name " BUS_NAME " on the bus: %s (is another vfio-bindd "
                "running, or the bus policy missing?)\n",
                e ? e->message : "somebody else has it");
    b->told_of_name = true;
    if (e) /* the bus may not know our user yet */
        disconnect_and_retry(b);
    return 1;
}

/* -- who calls -- */

struct user_question {
    struct bus *b;
    char sender[BUS_SENDER_MAX];
};

static int on_user(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const struct user_question *q = userdata;
    uint32_t uid;

    (void)error;
    if (!sd_bus_message_is_method_error(m, NULL) && sd_bus_message_read(m, "u", &uid) >= 0)
        bus_budget_is_of(&q->b->budgets, q->sender, uid, now_usec());
    return 0;
}

static void ask_user(struct bus *b, const char *sender)
{
    struct user_question *q = calloc(1, sizeof(*q));
    sd_bus_slot *slot = NULL;

    if (!q)
        return;
    q->b = b;
    snprintf(q->sender, sizeof(q->sender), "%s", sender);
    if (sd_bus_call_method_async(b->bus, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", "GetConnectionUnixUser", on_user, q, "s",
                                 sender) < 0) {
        free(q);
        return;
    }
    sd_bus_slot_set_destroy_callback(slot, free);
    sd_bus_slot_set_floating(slot, true);
    sd_bus_slot_unref(slot);
}

/* Runs before all objects. Returns 1 if it has answered the call, 0 to pass it on. */
static int on_any_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct bus *b = userdata;
    const char *sender = sd_bus_message_get_sender(m);
    const char *member = sd_bus_message_get_member(m), *path = sd_bus_message_get_path(m);

    const struct entry *first;
    const size_t n_devices = copy_of_kind(b->copy, MESSAGE_DEVICE, &first);

    (void)error;
    if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0 || !sender || !member || !path)
        return 0;
    if (bus_budget_is_new(&b->budgets, sender, now_usec()))
        ask_user(b, sender);
    if (bus_budget_take(&b->budgets, sender, bus_budget_cost(path, member, n_devices), now_usec()))
        return 0;
    if (sd_bus_message_get_expect_reply(m))
        (void)bus_reply_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED,
                              "too many calls: wait a second, or listen to the signals "
                              "(PropertiesChanged, InterfacesAdded, InterfacesRemoved)");
    return 1;
}

static int register_objects(struct bus *b)
{
    int r = sd_bus_add_filter(b->bus, NULL, on_any_message, b);

    if (r >= 0)
        r = sd_bus_add_object_manager(b->bus, NULL, BUS_PATH);
    if (r >= 0)
        r = bus_manager_register(&b->manager, b->bus);
    if (r >= 0)
        r = bus_device_register(b->bus, &b->devices);
    if (r >= 0)
        r = bus_log_register(&b->log, b->bus);
    return r;
}

/* Never waits: sd-bus watches for the socket, the name is requested asynchronously, and answers
 * come through the event loop. */
static int connect_bus(struct bus *b)
{
    int r;

    b->bus = sd_bus_close_unref(b->bus);
    r = sd_bus_new(&b->bus);
    if (r >= 0)
        r = sd_bus_set_address(b->bus, SOCKET);
    if (r >= 0)
        r = sd_bus_set_bus_client(b->bus, true);
    if (r >= 0)
        r = sd_bus_negotiate_fds(b->bus, false); /* no caller can make us hold descriptors */
    if (r >= 0)
        r = sd_bus_set_watch_bind(b->bus, true);
    if (r >= 0)
        r = register_objects(b);
    if (r >= 0)
        r = sd_bus_start(b->bus);
    if (r >= 0)
        r = sd_bus_attach_event(b->bus, b->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal_async(b->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                      "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                                      NULL, b);
    if (r >= 0)
        r = sd_bus_request_name_async(b->bus, NULL, BUS_NAME, SD_BUS_NAME_QUEUE, on_name, b);
    if (r < 0) {
        fprintf(stderr, "<7>cannot connect to the bus: %s\n", strerror(-r));
        disconnect_and_retry(b);
    }
    return r == -ENOMEM ? r : 0;
}

/* Leaves to the next turn of the event loop what is too much for this one, so that callers are
 * answered in between. */
static void publish_changes(struct bus *b)
{
    if (!b->bus || sd_bus_is_ready(b->bus) <= 0)
        return;
    if (bus_device_publish(b->bus, b->copy, &b->published) &&
        sd_event_source_set_time(b->more, 0) >= 0)
        (void)sd_event_source_set_enabled(b->more, SD_EVENT_ONESHOT);
    bus_manager_publish(&b->manager, b->bus);
}

static int on_more(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    publish_changes(userdata);
    return 0;
}

void bus_update(struct bus *b)
{
    publish_changes(b);
}

void bus_answer(struct bus *b, uint64_t id, enum refusal_kind kind, const char *sentence)
{
    bus_calls_answer(&b->calls, id, kind, sentence);
}

int bus_new(sd_event *event, struct copy *copy, struct daemon_link *link, struct bus **ret)
{
    struct bus *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    *b = (struct bus){.event = event,
                      .copy = copy,
                      .calls = {.link = link},
                      .manager = {.copy = copy, .calls = &b->calls},
                      .devices = {copy, &b->calls},
                      .log = {copy, link}};
    int r = sd_event_add_time(event, &b->more, CLOCK_MONOTONIC, UINT64_MAX, 0, on_more, b);
    if (r >= 0)
        r = connect_bus(b);
    if (r < 0) {
        bus_free(b);
        return r;
    }
    *ret = b;
    return 0;
}

void bus_free(struct bus *b)
{
    if (!b)
        return;
    bus_calls_forget(&b->calls);
    sd_event_source_disable_unref(b->retry);
    sd_event_source_disable_unref(b->more);
    sd_bus_close_unref(b->bus); /* a flush would wait for a stopped bus */
    free(b->published.v);
    free(b);
}
