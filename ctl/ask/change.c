/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind, release, reload, rescan: what the daemon is asked to do. */
#include <errno.h>

#include "bus.h"
#include "model/address.h"
#include "rebuild.h"

/* Calls a method of the daemon that changes something, with an address and no flags, or (address
 * NULL) without arguments. Says what went wrong; returns the exit code. */
static int change_call(const struct ctl *c, const char *method, const char *address)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;

    if (c->root)
        return ctl_error("\"%s\" changes a running host: it does not go with --root", c->verb);
    int r = bus_open(c, &bus);
    if (r >= 0 && address)
        r = bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, method, BUS_CHANGE_USEC, &error, NULL,
                     "st", address, (uint64_t)0);
    else if (r >= 0)
        r = bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, method, BUS_CHANGE_USEC, &error, NULL,
                     NULL);
    return r < 0 ? bus_complain(c, r, &error) : EXIT_SUCCESS;
}

static int call_for_device(const struct ctl *c, const char *method, const char *done)
{
    struct pci_addr a;

    if (pci_addr_parse(c->args[0], &a) < 0)
        return ctl_error("%s is no PCI address: write it as 0000:06:00.0 or 06:00.0", c->args[0]);
    int r = change_call(c, method, pci_addr_text(a).s);
    if (r == EXIT_SUCCESS && !c->quiet)
        printf("%s %s; to see how it stands: vfio-bindctl show %s\n", pci_addr_text(a).s, done,
               pci_addr_text(a).s);
    return r;
}

int verb_bind(const struct ctl *c)
{
    return call_for_device(c, "Bind", "is taken");
}

int verb_release(const struct ctl *c)
{
    return call_for_device(c, "Release", "is released");
}

int verb_reload(const struct ctl *c)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    int r = change_call(c, "Reload", NULL);

    return r == EXIT_SUCCESS && bus_open(c, &bus) >= 0 ? rebuild_offer(c, bus) : r;
}

int verb_rescan(const struct ctl *c)
{
    return change_call(c, "Rescan", NULL);
}
