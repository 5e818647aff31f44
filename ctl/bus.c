/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>

#include "base/clock.h"

/* If a bus accepts connections but does not answer, sd-bus waits longer than a user would. So the
 * handshake is done here, with our own limit. With -H there is no limit, since ssh may ask for a
 * password. */
static int wait_until_connected(sd_bus *bus, bool remote)
{
    uint64_t end = now_usec() + BUS_READ_USEC;
    int r;

    while ((r = sd_bus_is_ready(bus)) == 0) {
        uint64_t now = now_usec();
        if (!remote && now >= end)
            return -ETIMEDOUT;
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, remote ? UINT64_MAX : end - now);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : 0;
}

/* The front, which owns the name on the bus, connects to this socket. */
bool bus_daemon_is_there(void)
{
    return access("/run/vfio-bindd/front", F_OK) == 0;
}

static int on_new_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    bool *changed = userdata;

    (void)m;
    (void)error;
    *changed = true;
    return 0;
}

/* The front appears on the bus a moment after the daemon is ready, and during the boot only after
 * the bus. */
static void wait_for_front(sd_bus *bus)
{
    static const char match[] = "type='signal',sender='org.freedesktop.DBus',"
                                "member='NameOwnerChanged',arg0='" BUS_NAME "'";
    const uint64_t end = now_usec() + BUS_READ_USEC;
    CLEANUP(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
    CLEANUP(sd_bus_creds_unrefp) sd_bus_creds *owner = NULL;
    bool changed = false;

    if (!bus_daemon_is_there() || sd_bus_get_name_creds(bus, BUS_NAME, 0, &owner) >= 0 ||
        sd_bus_add_match(bus, &slot, match, on_new_owner, &changed) < 0 ||
        sd_bus_get_name_creds(bus, BUS_NAME, 0, &owner) >= 0)
        return;
    for (uint64_t now = now_usec(); !changed && now < end; now = now_usec()) {
        int r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, end - now);
        if (r < 0)
            return;
    }
}

int bus_open(const struct ctl *c, sd_bus **ret)
{
    sd_bus *bus = NULL;
    int r = c->host ? sd_bus_open_system_remote(&bus, c->host) : sd_bus_open_system(&bus);

    if (r >= 0)
        r = wait_until_connected(bus, c->host != NULL);
    if (r >= 0)
        r = sd_bus_set_method_call_timeout(bus, BUS_READ_USEC);
    if (r < 0) {
        sd_bus_close(bus); /* not flushed: nobody is listening */
        sd_bus_unref(bus);
        return r;
    }
    if (!c->host)
        wait_for_front(bus);
    *ret = bus;
    return 0;
}

int bus_call(sd_bus *bus, const char *path, const char *interface, const char *member,
             uint64_t timeout_usec, sd_bus_error *error, sd_bus_message **ret_reply,
             const char *types, ...)
{
    CLEANUP_MESSAGE sd_bus_message *m = NULL;
    va_list args;
    int r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, path, interface, member);

    if (r >= 0)
        r = sd_bus_message_set_allow_interactive_authorization(m, timeout_usec > BUS_READ_USEC);
    if (r >= 0 && types) {
        va_start(args, types);
        r = sd_bus_message_appendv(m, types, args);
        va_end(args);
    }
    if (r >= 0)
        r = sd_bus_call(bus, m, timeout_usec, error, ret_reply);
    return r < 0 ? r : 0;
}

bool bus_is_absent(const sd_bus_error *error)
{
    return sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                  SD_BUS_ERROR_NAME_HAS_NO_OWNER, NULL);
}

/* The daemon's own errors already say what to do. */
static const char *remedy(const sd_bus_error *error, int r)
{
    if (bus_is_absent(error) && bus_daemon_is_there())
        return "see \"systemctl status vfio-bindd-front\"";
    if (bus_is_absent(error))
        return "start it with \"systemctl start vfio-bindd\"";
    if (sd_bus_error_has_name(error, BUS_ERROR_NO_SUCH_DEVICE))
        return "\"vfio-bindctl list\" shows the addresses";
    if (sd_bus_error_has_names(error, SD_BUS_ERROR_UNKNOWN_METHOD, SD_BUS_ERROR_UNKNOWN_INTERFACE,
                               SD_BUS_ERROR_UNKNOWN_OBJECT, NULL))
        return "the running vfio-bindd is of another version: \"systemctl restart vfio-bindd\"";
    if (r == -ETIMEDOUT ||
        sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT, NULL))
        return "see \"systemctl status vfio-bindd dbus\"";
    return NULL;
}

/* A user without rights gets one sentence instead of the messages of three programs. */
static int complain_denied(const struct ctl *c)
{
    char words[400] = "";

    for (int i = 0; i < c->n_args; i++)
        snprintf(words + strlen(words), sizeof(words) - strlen(words), " %s", c->args[i]);
    return ctl_error(
        "this needs root, or permission from polkit; try \"sudo vfio-bindctl %s%s%s\"%s%s", c->verb,
        c->all ? " --all" : "", words, c->host ? " on " : "", c->host ? c->host : "");
}

bool bus_is_denied(const sd_bus_error *error)
{
    return sd_bus_error_has_names(error, SD_BUS_ERROR_ACCESS_DENIED,
                                  SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, NULL);
}

int bus_complain(const struct ctl *c, int r, const sd_bus_error *error)
{
    if (bus_is_denied(error))
        return complain_denied(c);
    const char *what = error && error->message ? error->message : strerror(-r);
    const char *advice = remedy(error, r);
    size_t n = strlen(what);

    if (bus_is_absent(error))
        what = bus_daemon_is_there() ? "vfio-bindd-front is not on the bus"
                                     : "vfio-bindd is not running";
    else if (r == -ETIMEDOUT)
        what = "vfio-bindd (or the bus) does not answer in time";
    else if (!error || !error->name)
        return ctl_error("cannot reach the system bus%s%s: %s", c->host ? " of " : "",
                         c->host ? c->host : "", what);
    else if (n > 0 && what[n - 1] == '.') /* drop the full stop: the text goes on */
        return ctl_error("%.*s%s%s", (int)n - 1, what, advice ? ": " : "", advice ? advice : "");
    return ctl_error("%s%s%s", what, advice ? ": " : "", advice ? advice : "");
}
