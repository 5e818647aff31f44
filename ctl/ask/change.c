/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind, release, reload, rescan: requests to the daemon. */
#include <errno.h>

#include "agent.h"
#include "bus.h"
#include "choose.h"
#include "model/state.h"
#include "open.h"
#include "physical.h"
#include "rebuild.h"

/* Calls a method of the daemon that changes something, with an address and no flags or (address
 * NULL) without arguments. Reports errors. Returns 0, -EACCES (the caller may not do this) or
 * another negative errno. */
static int change_call(const struct ctl *c, sd_bus *bus, const char *method, const char *address)
{
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = address ? bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, method, BUS_CHANGE_USEC,
                               &error, NULL, "st", address, (uint64_t)0)
                    : bus_call(bus, BUS_PATH, BUS_MANAGER_INTERFACE, method, BUS_CHANGE_USEC,
                               &error, NULL, NULL);

    if (r >= 0)
        return 0;
    bus_complain(c, r, &error);
    return bus_is_denied(&error) ? -EACCES : r;
}

static int open_and_call(const struct ctl *c, const char *method, sd_bus **ret)
{
    CLEANUP(agent_stop) pid_t agent = 0;
    int r = bus_open(c, ret);

    if (r >= 0 && !c->host)
        agent_start(&agent);
    if (r < 0)
        return bus_complain(c, r, NULL);
    return change_call(c, *ret, method, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* -- what became of it -- */

/* "0000:06:00.1 of its IOMMU group is released with it: snd_hda_intel has it" */
static void print_outcome(const struct live_device *d, bool bind, bool asked)
{
    const char *driver = props_get(&d->props, "Driver"), *with = asked ? "" : " with it";

    printf("%s%s is ", pci_addr_text(d->addr).s, asked ? "" : " of its IOMMU group");
    if (!bind)
        printf("released%s: %s%s\n", with, *driver ? driver : "no driver",
               *driver ? " has it" : " has it yet");
    else if (streq(props_get(&d->props, "Usable"), "yes"))
        printf("bound to %s%s\n", driver, with);
    else
        printf("bound to %s%s, but not usable: vfio-bindctl explain %s\n", driver, with,
               pci_addr_text(d->addr).s);
}

static bool is_in_group_of(const struct live_device *d, const struct live_device *asked)
{
    const char *group = props_get(&asked->props, "IommuGroup");

    return *group && !streq(group, NO_GROUP_TEXT) &&
           streq(props_get(&d->props, "IommuGroup"), group);
}

/* A physical function keeps its native driver: its virtual functions come or go. */
static void print_other_outcome(const struct live *l, struct pci_addr a)
{
    CLEANUP(physicals_done) struct physicals all = {0};
    const struct pci_addr_text address = pci_addr_text(a);

    (void)physicals_parse(props_get(&l->manager, "VirtualFunctions"), &all);
    const struct physical *p = physicals_find(&all, a);
    if (p)
        printf("%s\n", p->sentence);
    else
        printf("%s: done; to see its state: vfio-bindctl show %s\n", address.s, address.s);
}

/* A group is bound and released as a whole, so its other members are listed as well. */
static void print_outcomes(const struct live *l, bool bind, struct pci_addr a)
{
    const char *state = state_word(bind ? STATE_BOUND : STATE_RELEASED);
    const struct live_device *asked = live_find(l, a);

    if (!asked || !streq(props_get(&asked->props, "State"), state)) {
        print_other_outcome(l, a);
        return;
    }
    print_outcome(asked, bind, true);
    for (size_t i = 0; i < l->n; i++)
        if (&l->devices[i] != asked && is_in_group_of(&l->devices[i], asked) &&
            streq(props_get(&l->devices[i].props, "State"), state))
            print_outcome(&l->devices[i], bind, false);
    if (!bind)
        printf("This lasts until \"vfio-bindctl bind %s\", a reload of the policy, or the next "
               "boot.\n",
               pci_addr_text(a).s);
}

static int call_for_device(const struct ctl *c, sd_bus *bus, bool bind, struct pci_addr a)
{
    CLEANUP(live_done) struct live live = {0};
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = change_call(c, bus, bind ? "Bind" : "Release", pci_addr_text(a).s);

    if (r < 0 || c->quiet)
        return r;
    (void)live_read(bus, &live, &error); /* if there is no answer, less is printed */
    print_outcomes(&live, bind, a);
    return 0;
}

/* A request for one device applies to its whole IOMMU group. */
static bool was_asked_for(const struct chosen *devices, size_t i)
{
    const struct device *d = devices->v[i]->d;

    for (size_t k = 0; d->group != NO_GROUP && k < i; k++)
        if (devices->v[k]->d->group == d->group)
            return true;
    return false;
}

/* If the request fails for one device, it is still made for the others, unless the caller may not
 * make it at all. */
static int call_for_devices(const struct ctl *c, bool bind)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP(agent_stop) pid_t agent = 0;
    int r = source_open(c, SOURCE_LIVE, &s);

    if (r == 0)
        r = choose(&s, &devices);
    int opened = r == 0 ? bus_open(c, &bus) : 0;
    if (opened < 0)
        return bus_complain(c, opened, NULL);
    if (devices.n > 0 && !c->host)
        agent_start(&agent);
    for (size_t i = 0; i < devices.n; i++) {
        int q =
            was_asked_for(&devices, i) ? 0 : call_for_device(c, bus, bind, devices.v[i]->d->addr);
        if (q < 0)
            r = EXIT_FAILURE;
        if (q == -EACCES)
            break;
    }
    return r;
}

int verb_bind(const struct ctl *c)
{
    return call_for_devices(c, true);
}

int verb_release(const struct ctl *c)
{
    return call_for_devices(c, false);
}

/* The result needs another look: devices may still be pending. */
static void print_done(const struct ctl *c, const char *what)
{
    if (!c->quiet)
        printf("%s. See the result with: vfio-bindctl %s%s%sstatus\n", what, c->host ? "-H " : "",
               c->host ? c->host : "", c->host ? " " : "");
}

int verb_reload(const struct ctl *c)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    int r = open_and_call(c, "Reload", &bus);

    if (r == EXIT_SUCCESS)
        print_done(c, "Reloaded");
    return r == EXIT_SUCCESS ? rebuild_offer(c, bus) : r;
}

int verb_rescan(const struct ctl *c)
{
    CLEANUP_BUS sd_bus *bus = NULL;

    int r = open_and_call(c, "Rescan", &bus);

    if (r == EXIT_SUCCESS)
        print_done(c, "Examined all devices");
    return r;
}
