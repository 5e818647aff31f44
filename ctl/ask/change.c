/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind, release, reload, rescan: what the daemon is asked to do. */
#include <errno.h>

#include "bus.h"
#include "choose.h"
#include "open.h"
#include "rebuild.h"

/* Calls a method of the daemon that changes something, with an address and no flags, or (address
 * NULL) without arguments. Says what went wrong; returns the exit code. */
static int change_call(const struct ctl *c, const char *method, const char *address)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;

    int r = bus_open(c, &bus);
    if (r >= 0 && address)
        r = bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, method, BUS_CHANGE_USEC, &error, NULL,
                     "st", address, (uint64_t)0);
    else if (r >= 0)
        r = bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, method, BUS_CHANGE_USEC, &error, NULL,
                     NULL);
    return r < 0 ? bus_complain(c, r, &error) : EXIT_SUCCESS;
}

static int call_for_device(const struct ctl *c, const char *method, const char *done,
                           struct pci_addr a)
{
    int r = change_call(c, method, pci_addr_text(a).s);

    if (r == EXIT_SUCCESS && !c->quiet)
        printf("%s %s; to see how it stands: vfio-bindctl show %s\n", pci_addr_text(a).s, done,
               pci_addr_text(a).s);
    return r;
}

/* What is asked for one device concerns all of its IOMMU group. */
static bool was_asked_for(const struct chosen *devices, size_t i)
{
    const struct device *d = devices->v[i]->d;

    for (size_t k = 0; d->group != NO_GROUP && k < i; k++)
        if (devices->v[k]->d->group == d->group)
            return true;
    return false;
}

/* The others are asked for although one fails. */
static int call_for_devices(const struct ctl *c, const char *method, const char *done)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    int r = source_open(c, SOURCE_LIVE, &s);

    if (r == 0)
        r = choose(&s, &devices);
    for (size_t i = 0; i < devices.n; i++)
        if (!was_asked_for(&devices, i) &&
            call_for_device(c, method, done, devices.v[i]->d->addr) != EXIT_SUCCESS)
            r = EXIT_FAILURE;
    return r;
}

int verb_bind(const struct ctl *c)
{
    return call_for_devices(c, "Bind", "is taken");
}

int verb_release(const struct ctl *c)
{
    return call_for_devices(c, "Release", "is released");
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
