/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor: prints a line for each change, until interrupted. */
#include <ctype.h>
#include <errno.h>
#include <time.h>

#include "bus.h"
#include "json.h"
#include "live.h"
#include "physical.h"

#define PROPERTY_INVALIDATED '\0' /* its new value was not sent */

/* "BoundUSec" -> "bound_usec" */
static void key_of_property(const char *name, char *buf, size_t size)
{
    size_t n = 0;

    for (const char *c = name; *c && n + 2 < size; c++) {
        if (isupper((unsigned char)*c) && c > name && islower((unsigned char)c[-1]))
            buf[n++] = '_';
        buf[n++] = (char)tolower((unsigned char)*c);
    }
    buf[n] = '\0';
}

/* Writes a property of a device or, without a subject, of the daemon, in the form of
 * docs/json.md. */
static void add_property(struct json *j, const char *subject, const struct prop *p)
{
    char key[64];
    const char *word = streq(p->name, "Reason") ? live_reason_word(p->text) : NULL;

    if (!*subject && streq(p->name, "VirtualFunctions")) {
        CLEANUP(physicals_done) struct physicals all = {0};
        (void)physicals_parse(p->text, &all); /* out of memory: some are left out */
        physicals_json(j, &all);
        return;
    }
    key_of_property(p->name, key, sizeof(key));
    if (p->type == 'b')
        json_bool(j, key, streq(p->text, "yes"));
    else if (p->type == 'a')
        json_words(j, key, p->text, "\n");
    else if (strchr("ynqiuxt", p->type))
        json_digits(j, key, streq(p->text, NO_GROUP_TEXT) ? NULL : p->text);
    else
        json_text(j, key, word ? word : p->text);
    if (word)
        json_text(j, "sentence", p->text + strlen(word) + 2);
}

static void print_event_json(const char *when, const char *subject, const char *event,
                             const struct props *p)
{
    struct json j;

    json_begin(&j, stdout, true);
    json_text(&j, "time", when);
    json_text(&j, "event", event);
    json_text(&j, "address", subject);
    for (size_t i = 0; p && i < p->n; i++)
        if (p->v[i].type != PROPERTY_INVALIDATED)
            add_property(&j, subject, &p->v[i]);
    json_finish(&j);
}

/* Prints one line: the time, the device ("" for the daemon itself), the change. */
static void print_event(const struct ctl *c, const char *subject, const char *event,
                        const struct props *p)
{
    time_t now = time(NULL);
    struct tm tm;
    char when[32];

    localtime_r(&now, &tm);
    strftime(when, sizeof(when), c->json ? "%Y-%m-%dT%H:%M:%S%z" : "%H:%M:%S", &tm);
    if (c->json) {
        print_event_json(when, subject, event, p);
    } else {
        printf("%s %-12s %s", when, *subject ? subject : "vfio-bindd", event);
        for (size_t i = 0; p && i < p->n; i++) {
            printf(" %s=", p->v[i].name);
            for (const char *t = p->v[i].text; *t; t++)
                putchar(*t == '\n' ? ',' : *t);
        }
        putchar('\n');
    }
    fflush(stdout); /* so that a pipe gets each line at once */
}

/* The address in an object's path, "" for the daemon itself. */
static const char *subject_of(const char *path, char **ret_id)
{
    return sd_bus_path_decode(path, BUS_DEVICE_PREFIX, ret_id) > 0 ? *ret_id : "";
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    CLEANUP(props_done) struct props p = {0};
    CLEANUP_FREE char *id = NULL;
    const char *interface, *name;
    const char *subject = subject_of(sd_bus_message_get_path(m), &id);

    (void)error;
    int r = sd_bus_message_read_basic(m, 's', &interface);
    if (r >= 0)
        r = props_read(m, &p);
    if (r >= 0)
        r = sd_bus_message_enter_container(m, 'a', "s"); /* invalidated: names without values */
    while (r > 0 && (r = sd_bus_message_read_basic(m, 's', &name)) > 0)
        if (props_set(&p, name, PROPERTY_INVALIDATED, "?") < 0)
            return -ENOMEM;
    if (r >= 0 && p.n > 0)
        print_event(userdata, subject, "changed", &p);
    return 0;
}

/* Reads the properties of a new device object. Those that never change are left out of the line. */
static int read_added(sd_bus_message *m, struct props *p)
{
    const char *interface;
    int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r >= 0)
            r = streq(interface, BUS_DEVICE_INTERFACE) ? props_read(m, p)
                                                       : sd_bus_message_skip(m, "a{sv}");
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r;
}

static bool is_shown(const char *property)
{
    static const char *const shown[] = {"Id", "Rule", "State", "Reason", "Usable", "Driver"};

    for (size_t i = 0; i < ELEMENTS(shown); i++)
        if (streq(shown[i], property))
            return true;
    return false;
}

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    CLEANUP(props_done) struct props all = {0}, p = {0};
    CLEANUP_FREE char *id = NULL;
    const char *path;

    (void)error;
    int r = sd_bus_message_read_basic(m, 'o', &path);
    if (r >= 0)
        r = read_added(m, &all);
    if (r < 0 || !*subject_of(path, &id))
        return 0;
    for (size_t i = 0; i < all.n; i++)
        if (is_shown(all.v[i].name) && *all.v[i].text &&
            props_set(&p, all.v[i].name, all.v[i].type, all.v[i].text) < 0)
            return -ENOMEM;
    print_event(userdata, id, "added", &p);
    return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    CLEANUP_FREE char *id = NULL;
    const char *path;

    (void)error;
    if (sd_bus_message_read_basic(m, 'o', &path) >= 0 && *subject_of(path, &id))
        print_event(userdata, id, "removed", NULL);
    return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *name, *before, *after;

    (void)error;
    if (sd_bus_message_read(m, "sss", &name, &before, &after) >= 0)
        print_event(userdata, "", *after ? "started" : "stopped", NULL);
    return 0;
}

static int subscribe(sd_bus *bus, void *userdata)
{
    static const char from[] = "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_PATH "',";
    static const struct {
        const char *rest;
        sd_bus_message_handler_t handler;
    } matches[] = {
        {"interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'", on_changed},
        {"interface='org.freedesktop.DBus.ObjectManager',member='InterfacesAdded'", on_added},
        {"interface='org.freedesktop.DBus.ObjectManager',member='InterfacesRemoved'", on_removed},
    };
    int r =
        sd_bus_add_match(bus, NULL,
                         "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                         "arg0='" BUS_NAME "'",
                         on_owner, userdata);

    for (size_t i = 0; r >= 0 && i < ELEMENTS(matches); i++) {
        char match[256];
        snprintf(match, sizeof(match), "%s%s", from, matches[i].rest);
        r = sd_bus_add_match(bus, NULL, match, matches[i].handler, userdata);
    }
    return r;
}

/* If the daemon is not running, the user should know; it may be started at any time. */
static void say_if_absent(const struct ctl *c, sd_bus *bus)
{
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    CLEANUP_FREE char *state = NULL;

    if (sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "State", &error,
                                   &state) < 0 &&
        bus_is_absent(&error) && (c->host || !bus_daemon_is_there()))
        ctl_note(c, "vfio-bindd is not running (systemctl start vfio-bindd): waiting for it");
}

int verb_monitor(const struct ctl *c)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    struct ctl options = *c;

    int r = bus_open(c, &bus);
    if (r >= 0)
        r = subscribe(bus, &options);
    if (r >= 0)
        say_if_absent(c, bus);
    while (r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
        if (r == -EINTR)
            r = 0;
    }
    return bus_complain(c, r, NULL);
}
