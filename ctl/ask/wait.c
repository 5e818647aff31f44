/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait: waits until vfio-bindd has finished its first pass. */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "bus.h"

/* The daemon's state, malloc'ed. Returns 0 or negative errno; -ENXIO: it is not running. */
static int read_state(sd_bus *bus, char **ret, sd_bus_error *error)
{
    char *state = NULL;
    int r = sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "State",
                                       error, &state);

    if (r < 0)
        return bus_is_absent(error) ? -ENXIO : r;
    *ret = state;
    return 0;
}

static int on_news(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)m;
    (void)userdata;
    (void)error;
    return 0; /* only wakes the loop; the state is read again */
}

/* Subscribes to the signals that the daemon appears or changes. */
static int await_news(sd_bus *bus)
{
    int r = sd_bus_add_match(bus, NULL,
                             "type='signal',sender='" BUS_NAME "',path='" BUS_PATH
                             "',interface='org.freedesktop.DBus.Properties'",
                             on_news, NULL);

    if (r < 0)
        return r;
    return sd_bus_add_match(bus, NULL,
                            "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                            "arg0='" BUS_NAME "'",
                            on_news, NULL);
}

/* Waits for such a signal, at most until `end`. Returns 0, -ETIMEDOUT or another negative errno. */
static int wait_for_news(sd_bus *bus, uint64_t end)
{
    for (;;) {
        uint64_t now = now_usec();
        int r = sd_bus_process(bus, NULL);
        if (r != 0)
            return r < 0 ? r : 0;
        if (now >= end)
            return -ETIMEDOUT;
        r = sd_bus_wait(bus, end - now);
        if (r < 0 && r != -EINTR)
            return r;
    }
}

static int report_state(const struct ctl *c, const char *state)
{
    if (!c->quiet)
        printf("vfio-bindd is %s%s\n", state,
               streq(state, "degraded") ? ": \"vfio-bindctl status\" says what is missing" : "");
    return streq(state, "ready") ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* During the boot this may run before the bus is there. */
static int connect_by(const struct ctl *c, uint64_t end, sd_bus **ret)
{
    for (;;) {
        int r = bus_open(c, ret);
        bool later = r == -ENOENT || r == -ECONNREFUSED || r == -ETIMEDOUT;
        if (r >= 0 || !later || c->host)
            return r;
        if (now_usec() >= end)
            return -ETIMEDOUT;
        usleep(200000);
    }
}

static int too_late(const struct ctl *c)
{
    return c->quiet ? EXIT_FAILURE
                    : ctl_error("not ready in time: \"systemctl status vfio-bindd\" and "
                                "\"vfio-bindctl status\" say why");
}

static int wait_until(const struct ctl *c, sd_bus *bus, uint64_t end)
{
    bool said = false;

    for (;;) {
        CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP_FREE char *state = NULL;
        int r = read_state(bus, &state, &error);
        if (r == 0 && !streq(state, "starting"))
            return report_state(c, state);
        if (r < 0 && r != -ENXIO)
            return bus_complain(c, r, &error);
        if (r == -ENXIO && !said && (c->host || !bus_daemon_is_there()))
            ctl_note(c, "vfio-bindd is not running yet (systemctl start vfio-bindd): waiting");
        said = said || r == -ENXIO;
        r = wait_for_news(bus, end);
        if (r == -ETIMEDOUT)
            return too_late(c);
        if (r < 0)
            return bus_complain(c, r, NULL);
    }
}

int verb_wait(const struct ctl *c)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    uint64_t now = now_usec();
    uint64_t end = c->timeout_usec > USEC_INFINITY - now ? USEC_INFINITY : now + c->timeout_usec;

    int r = connect_by(c, end, &bus);
    if (r >= 0)
        r = await_news(bus);
    if (r == -ETIMEDOUT)
        return too_late(c);
    return r < 0 ? bus_complain(c, r, NULL) : wait_until(c, bus, end);
}
