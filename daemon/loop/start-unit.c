/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/start-unit.h"

#include <errno.h>
#include <systemd/sd-bus.h>

#include "base/util.h"
#include "host/modules.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"

struct start_unit {
    sd_bus *bus;
    sd_bus_slot *slots[3]; /* ours, so that nothing is called once we are gone */
    sd_event_source *timeout;
    start_unit_done *done;
    void *userdata;
    char unit[START_UNIT_NAME_MAX];
    char *job; /* its object path; NULL until systemd has answered */
};

void start_unit_cancel(struct start_unit *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < ELEMENTS(m->slots); i++)
        sd_bus_slot_unref(m->slots[i]);
    sd_event_source_disable_unref(m->timeout);
    sd_bus_close_unref(m->bus);
    free(m->job);
    free(m);
}

static void answer_caller(struct start_unit *m, int r, const char *reason)
{
    char unit[START_UNIT_NAME_MAX], text[512] = "";
    start_unit_done *done = m->done;
    void *userdata = m->userdata;

    memcpy(unit, m->unit, sizeof(unit));
    if (r < 0)
        snprintf(text, sizeof(text), "systemd does not start %s: %s", m->unit, reason);
    start_unit_cancel(m);
    done(userdata, unit, r, text);
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata)
{
    (void)s;
    (void)usec;
    answer_caller(userdata, -ETIMEDOUT, "no answer in time");
    return 0;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const sd_bus_error *e = sd_bus_message_get_error(reply);
    struct start_unit *m = userdata;
    const char *job;
    int r;

    (void)error;
    if (e) {
        r = sd_bus_error_get_errno(e);
        answer_caller(m, r > 0 ? -r : -EIO, e->message ? e->message : e->name);
        return 0;
    }
    r = sd_bus_message_read(reply, "o", &job);
    if (r >= 0)
        m->job = strdup(job);
    if (!m->job)
        answer_caller(m, r < 0 ? r : -ENOMEM, strerror(r < 0 ? -r : ENOMEM));
    return 0;
}

/* systemd sends its signals to whoever is connected to the private socket. */
static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    struct start_unit *m = userdata;
    const char *job, *unit, *result;
    int r = sd_bus_message_read(signal, "uoss", NULL, &job, &unit, &result);

    (void)error;
    if (r < 0 || !m->job || !streq(job, m->job))
        return 0;
    if (streq(result, "done"))
        answer_caller(m, 0, NULL);
    else
        answer_caller(m, -EIO, result); /* "canceled", "timeout", "failed", "dependency", ... */
    return 0;
}

/* The call was answered, but the connection was lost before the job has ended. */
static int on_manager_lost(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    (void)signal;
    (void)error;
    answer_caller(userdata, -ECONNRESET, "the connection was closed");
    return 0;
}

static int call_systemd(struct start_unit *m, sd_event *event, const char *address,
                        uint64_t timeout_usec)
{
    int r = sd_bus_new(&m->bus);

    if (r >= 0)
        r = sd_bus_set_address(m->bus, address);
    if (r >= 0)
        r = sd_bus_start(m->bus);
    if (r >= 0)
        r = sd_bus_attach_event(m->bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal(m->bus, &m->slots[0], NULL, "/org/freedesktop/DBus/Local",
                                "org.freedesktop.DBus.Local", "Disconnected", on_manager_lost, m);
    if (r >= 0)
        r = sd_bus_match_signal(m->bus, &m->slots[1], NULL, MANAGER_PATH, MANAGER, "JobRemoved",
                                on_job_removed, m);
    if (r >= 0)
        r = sd_bus_call_method_async(m->bus, &m->slots[2], NULL, MANAGER_PATH, MANAGER, "StartUnit",
                                     on_answer, m, "ss", m->unit, "replace");
    if (r >= 0)
        r = sd_event_add_time_relative(event, &m->timeout, CLOCK_MONOTONIC, timeout_usec, 0,
                                       on_timeout, m);
    return r;
}

int start_unit(sd_event *event, const char *address, const char *unit, uint64_t timeout_usec,
               start_unit_done *done, void *userdata, struct start_unit **ret)
{
    struct start_unit *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->done = done;
    m->userdata = userdata;
    snprintf(m->unit, sizeof(m->unit), "%s", unit);
    int r = call_systemd(m, event, address, timeout_usec);
    if (r < 0) {
        start_unit_cancel(m);
        return r;
    }
    *ret = m;
    return 0;
}

/* Dashes become underscores, which are the same to modprobe. In a unit's name a dash stands for
 * "/", and whether the template undoes its escape depends on systemd's version. */
bool start_unit_of_module(const char *module, char ret[static START_UNIT_NAME_MAX])
{
    if (!module_name_is_valid(module))
        return false;
    snprintf(ret, START_UNIT_NAME_MAX, "modprobe@%s.service", module);
    for (char *p = strchr(ret, '@'); *p; p++)
        if (*p == '-')
            *p = '_';
    return true;
}
