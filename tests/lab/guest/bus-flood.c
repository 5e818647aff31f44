/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls ListDevices again and again and never reads an answer.
 * usage: bus-flood CALLS SECONDS (it stays connected that long) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    sd_bus *bus = NULL;
    int r = argc == 3 ? sd_bus_open_system(&bus) : -22;

    if (r < 0) {
        fprintf(stderr, "bus-flood: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    for (long i = 0, n = strtol(argv[1], NULL, 10); i < n; i++) {
        sd_bus_message *m = NULL;
        r = sd_bus_message_new_method_call(bus, &m, "org.vfio.Bindd1", "/org/vfio/Bindd1",
                                           "org.vfio.Bindd1.Manager", "ListDevices");
        if (r >= 0)
            r = sd_bus_send(bus, m, NULL);
        sd_bus_message_unref(m);
        if (r < 0) {
            fprintf(stderr, "bus-flood: call %ld: %s\n", i, strerror(-r));
            break;
        }
    }
    sleep((unsigned)strtoul(argv[2], NULL, 10));
    return EXIT_SUCCESS;
}
