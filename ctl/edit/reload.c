/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/reload.h"

#include "bus.h"
#include "rebuild.h"

/* If the daemon is not running, it reads the policy when it starts. */
int reload_changed(const struct ctl *c)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = bus_open(c, &bus);

    if (r >= 0)
        r = bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Reload", BUS_CHANGE_USEC, &error, NULL,
                     NULL);
    if (r < 0 && (!sd_bus_error_is_set(&error) || bus_is_absent(&error))) {
        if (bus_daemon_is_there())
            return ctl_error("vfio-bindd is not on the bus: the policy takes effect after "
                             "\"systemctl reload vfio-bindd\"");
        ctl_note(c, "vfio-bindd is not running: the policy takes effect once it is (systemctl "
                    "enable --now vfio-bindd)");
        return EXIT_SUCCESS;
    }
    if (r < 0)
        return bus_complain(c, r, &error);
    if (!c->quiet)
        puts("Reloaded. See the result with: vfio-bindctl status");
    return rebuild_offer(c, bus);
}
