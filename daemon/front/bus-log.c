/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-log.h"

#include <syslog.h>

#include "base/util.h"
#include "front/bus-text.h"

static const char *const levels[] = {[LOG_ERR] = "err",
                                     [LOG_WARNING] = "warning",
                                     [LOG_NOTICE] = "notice",
                                     [LOG_INFO] = "info",
                                     [LOG_DEBUG] = "debug"};

static int get_log(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    if (streq(property, "LogLevel")) {
        const struct bus_log *l = userdata;
        uint64_t level = copy_manager(l->copy)->numbers[MANAGER_LOG_LEVEL];
        return bus_append(reply, "s", level < ELEMENTS(levels) ? levels[level] : NULL);
    }
    return bus_append(reply, "s", streq(property, "LogTarget") ? "journal" : "vfio-bindd");
}

/* The bus policy lets only root call Set. */
static int set_log_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *value, void *userdata, sd_bus_error *error)
{
    const struct bus_log *l = userdata;
    const char *word;
    int r = sd_bus_message_read(value, "s", &word);

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    if (r < 0)
        return r;
    int level = word_index(levels, ELEMENTS(levels), word);
    if (level < 0)
        return bus_error(error, SD_BUS_ERROR_INVALID_ARGS,
                         "write err, warning, notice, info or debug");
    r = daemon_link_log_level(l->link, level);
    if (r == 0)
        copy_set_log_level(l->copy, level);
    return r;
}

static int set_log_target(sd_bus *bus, const char *path, const char *interface,
                          const char *property, sd_bus_message *value, void *userdata,
                          sd_bus_error *error)
{
    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)value;
    (void)userdata;
    return bus_error(error, SD_BUS_ERROR_NOT_SUPPORTED, "the target cannot be changed");
}

static const sd_bus_vtable log_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_log, set_log_level, 0,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_log, set_log_target, 0,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("SyslogIdentifier", "s", get_log, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

int bus_log_register(struct bus_log *l, sd_bus *bus)
{
    return sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/LogControl1",
                                    "org.freedesktop.LogControl1", log_vtable, l);
}
