/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void send(enum kernel_event event, size_t device, const char *driver)
{
    if (kernel_hooks.event)
        kernel_hooks.event(event, device, driver);
}

static void lock(size_t device)
{
    if (kernel_hooks.lock)
        kernel_hooks.lock(device);
}

static void unlock(size_t device)
{
    if (kernel_hooks.unlock)
        kernel_hooks.unlock(device);
}

static void inside(size_t device)
{
    if (kernel_hooks.inside)
        kernel_hooks.inside(device);
}

/* -- who is there -- */

int kernel_find_driver(const struct kernel *k, const char *name)
{
    for (size_t i = 0; i < k->n_drivers; i++)
        if (k->drivers[i].registered && strcmp(k->drivers[i].kind.name, name) == 0)
            return (int)i;
    return NOBODY;
}

const char *kernel_driver_of(const struct kernel *k, size_t device)
{
    const struct kernel_device *d = &k->devices[device];

    return d->linked ? k->drivers[d->driver].kind.name : "";
}

/* One that was unloaded leaves its place, and its dynamic identities are gone with it. */
int kernel_add_driver(struct kernel *k, const struct driver_kind *kind)
{
    size_t i = 0;

    while (i < k->n_drivers && k->drivers[i].registered)
        i++;
    if (i == KERNEL_DRIVERS_MAX)
        abort();
    k->n_drivers += i == k->n_drivers;
    k->drivers[i] = (struct kernel_driver){.kind = *kind, .registered = true, .since = ++k->clock};
    return (int)i;
}

void kernel_set_driver(struct kernel *k, size_t device, int driver)
{
    k->devices[device].driver = driver;
    k->devices[device].linked = k->devices[device].bound = driver != NOBODY;
    k->devices[device].bound_at = ++k->clock;
}

/* -- who matches (pci_match_device) -- */

static bool id_matches(const struct driver_kind *kind, const struct pci_id *dynamic, size_t n,
                       const struct pci_id *device, bool overridden)
{
    for (size_t i = 0; i < n; i++)
        if (pci_id_fits(&dynamic[i], device))
            return true;
    for (size_t i = 0; i < kind->n_ids; i++)
        if (pci_id_fits(&kind->ids[i], device) && (overridden || !kind->ids[i].override_only))
            return true;
    return overridden;
}

bool kernel_is_native(const struct kernel *k, int driver, size_t device)
{
    const struct driver_kind *kind = &k->drivers[driver].kind;

    return k->drivers[driver].registered && !kind->is_vfio &&
           id_matches(kind, NULL, 0, &k->devices[device].id, false);
}

/* An override that names the driver is enough: no identity is needed. */
bool kernel_matches(const struct kernel *k, int driver, size_t device)
{
    const struct kernel_device *d = &k->devices[device];
    const struct kernel_driver *r = &k->drivers[driver];

    if (!r->registered || !d->there || !d->matchable ||
        (d->has_override && strcmp(d->override, r->kind.name) != 0))
        return false;
    return id_matches(&r->kind, r->ids, r->n_ids, &d->id, d->has_override);
}

/* -- binding -- */

static bool is_bridge(const struct kernel_device *d)
{
    return d->id.class_code >> 8 == 0x0604;
}

/* A positive errno is what probe() says, a negative one the kernel's own: it has not been asked. */
static int probe(const struct kernel *k, int driver, size_t device)
{
    const struct driver_kind *kind = &k->drivers[driver].kind;
    const struct kernel_device *d = &k->devices[device];

    if (!kind->managed_dma && d->group != NO_IOMMU && group_is_claimed(k, d->group))
        return -EBUSY;
    if (kind->is_vfio && (d->group == NO_IOMMU || is_bridge(d)))
        return EINVAL;
    return kind->probe_error;
}

/* With the device's lock. No event tells of a probe that failed. */
static int probe_with(struct kernel *k, int driver, size_t device)
{
    struct kernel_device *d = &k->devices[device];

    if (kernel_needs_override(k, device)) /* pci_device_can_probe() */
        return -ENODEV;
    d->driver = driver;
    d->linked = true;
    d->bound_at = ++k->clock;
    inside(device);
    int error = probe(k, driver, device);
    if (error) {
        d->driver = NOBODY;
        d->linked = false;
        return error;
    }
    d->bound = true;
    send(EVENT_BIND, device, k->drivers[driver].kind.name);
    return 0;
}

/* With the device's lock. The link goes first. */
static void release(struct kernel *k, size_t device)
{
    struct kernel_device *d = &k->devices[device];

    if (d->driver == NOBODY)
        return;
    d->linked = false;
    inside(device);
    d->driver = NOBODY;
    d->bound = false;
    send(EVENT_UNBIND, device, NULL);
}

void kernel_detach(struct kernel *k, size_t device)
{
    lock(device);
    release(k, device);
    unlock(device);
}

/* The driver that was registered next after `since`. */
static int next_driver(const struct kernel *k, uint64_t since)
{
    int found = NOBODY;

    for (size_t i = 0; i < k->n_drivers; i++)
        if (k->drivers[i].registered && k->drivers[i].since > since &&
            (found == NOBODY || k->drivers[i].since < k->drivers[found].since))
            found = (int)i;
    return found;
}

/* One whose probe() fails does not hinder the next; one that may not be asked ends the search. */
int kernel_attach(struct kernel *k, size_t device)
{
    uint64_t since = 0;
    int driver, r = 0;

    lock(device);
    while (r >= 0 && k->devices[device].driver == NOBODY &&
           (driver = next_driver(k, since)) != NOBODY) {
        since = k->drivers[driver].since;
        if (kernel_matches(k, driver, device))
            r = probe_with(k, driver, device);
    }
    unlock(device);
    return r < 0 ? r : 0;
}

static int next_device(const struct kernel *k, uint64_t since)
{
    int found = -1;

    for (size_t i = 0; i < k->n_devices; i++)
        if (k->devices[i].there && k->devices[i].since > since &&
            (found < 0 || k->devices[i].since < k->devices[found].since))
            found = (int)i;
    return found;
}

/* Every device that matches and has no driver, in the order in which they came. It waits for the
 * lock of each that matches, whoever has it. */
static void offer_all(struct kernel *k, int driver)
{
    uint64_t since = 0;
    int device;

    while ((device = next_device(k, since)) >= 0) {
        since = k->devices[device].since;
        if (!kernel_matches(k, driver, (size_t)device))
            continue;
        lock((size_t)device);
        if (k->devices[device].there && k->devices[device].driver == NOBODY)
            (void)probe_with(k, driver, (size_t)device);
        unlock((size_t)device);
    }
}

/* -- the files -- */

/* The driver with files to write to. They are made at the end of its registration. */
static int find_files(const struct kernel *k, const char *name)
{
    int driver = kernel_find_driver(k, name);

    return driver != NOBODY && k->drivers[driver].attaching ? NOBODY : driver;
}

int kernel_bind(struct kernel *k, const char *name, const char *address)
{
    int driver = find_files(k, name), device = kernel_find(k, address), r = 0;

    if (k->injected[CALL_BIND])
        return -k->injected[CALL_BIND];
    if (driver == NOBODY || k->drivers[driver].kind.no_bind_files)
        return -ENOENT;
    if (device < 0 || !kernel_matches(k, driver, (size_t)device))
        return -ENODEV;
    lock((size_t)device);
    if (!k->devices[device].there)
        r = -ENODEV;
    else if (k->devices[device].driver != NOBODY)
        r = -EBUSY;
    else
        r = probe_with(k, driver, (size_t)device);
    unlock((size_t)device);
    return r > 0 ? -r : r;
}

/* The driver is looked at before the lock: whatever has the device then loses it. */
int kernel_unbind(struct kernel *k, const char *name, const char *address)
{
    int driver = find_files(k, name), device = kernel_find(k, address);

    if (k->injected[CALL_UNBIND])
        return -k->injected[CALL_UNBIND];
    if (driver == NOBODY || k->drivers[driver].kind.no_bind_files)
        return -ENOENT;
    if (device < 0 || k->devices[device].driver != driver)
        return -ENODEV;
    kernel_detach(k, (size_t)device);
    return 0;
}

/* It does not say whether a driver was found, or failed. One that has a driver is not waited for.
 */
int kernel_drivers_probe(struct kernel *k, const char *address)
{
    int device = kernel_find(k, address);

    if (device < 0)
        return -ENODEV;
    if (k->devices[device].driver == NOBODY && kernel_attach(k, (size_t)device) < 0)
        return -EINVAL; /* whatever the errno was */
    return 0;
}

/* With fewer than seven fields the kernel looks whether the driver would match a device with just
 * these: what is left out is 0xffff then, and the class 0. */
static bool is_covered(const struct kernel_driver *d, const struct pci_id *id)
{
    const struct pci_id device = {.vendor = id->vendor & 0xffff,
                                  .device = id->device & 0xffff,
                                  .subvendor = id->subvendor & 0xffff,
                                  .subdevice = id->subdevice & 0xffff,
                                  .class_code = id->class_code};

    return id_matches(&d->kind, d->ids, d->n_ids, &device, false);
}

int kernel_add_id(struct kernel *k, const char *name, const char *text)
{
    int driver = find_files(k, name);
    struct pci_id id;
    unsigned long data;
    int fields = pci_id_parse(text, &id, &data);

    if (k->injected[CALL_NEW_ID])
        return -k->injected[CALL_NEW_ID];
    if (driver == NOBODY)
        return -ENOENT;
    struct kernel_driver *d = &k->drivers[driver];
    if (fields < 2)
        return -EINVAL;
    if (fields != 7 && is_covered(d, &id))
        return -EEXIST;
    /* driver_data has to be one that the driver knows; of those here the model knows only 0. */
    if (d->kind.n_ids > 0 && (data != 0 || d->kind.no_zero_data))
        return -EINVAL;
    return dynamic_add(d, &id);
}

void kernel_offer_all(struct kernel *k, const char *name)
{
    int driver = kernel_find_driver(k, name);

    if (driver != NOBODY)
        offer_all(k, driver);
}

int kernel_new_id(struct kernel *k, const char *name, const char *text)
{
    int r = kernel_add_id(k, name, text);

    if (r == 0)
        kernel_offer_all(k, name);
    return r;
}

/* A device keeps the driver that it got by the entry. */
int kernel_remove_id(struct kernel *k, const char *name, const char *text)
{
    int driver = find_files(k, name);
    struct pci_id id;
    unsigned long data;

    if (k->injected[CALL_REMOVE_ID])
        return -k->injected[CALL_REMOVE_ID];
    if (driver == NOBODY)
        return -ENOENT;
    if (pci_id_parse(text, &id, &data) < 2)
        return -EINVAL;
    return dynamic_remove(&k->drivers[driver], &id);
}

/* -- modules -- */

bool kernel_begin_load(struct kernel *k, const struct driver_kind *kind)
{
    if (kernel_find_driver(k, kind->name) != NOBODY)
        return false;
    k->drivers[kernel_add_driver(k, kind)].attaching = true;
    return true;
}

void kernel_end_load(struct kernel *k, const char *driver)
{
    k->drivers[kernel_find_driver(k, driver)].attaching = false;
}

int kernel_load(struct kernel *k, const struct driver_kind *kind)
{
    if (!kernel_begin_load(k, kind))
        return 0; /* loaded already: modprobe is content */
    kernel_offer_all(k, kind->name);
    kernel_end_load(k, kind->name);
    return 0;
}

/* The one that was bound last goes first. */
static int last_bound(const struct kernel *k, int driver)
{
    int found = -1;

    for (size_t i = 0; i < k->n_devices; i++)
        if (k->devices[i].driver == driver &&
            (found < 0 || k->devices[i].bound_at > k->devices[found].bound_at))
            found = (int)i;
    return found;
}

int kernel_unload(struct kernel *k, const char *module)
{
    for (size_t i = 0; i < k->n_drivers; i++) {
        struct kernel_driver *d = &k->drivers[i];
        int device;
        if (!d->registered || !d->kind.module || strcmp(d->kind.module, module) != 0)
            continue;
        while ((device = last_bound(k, (int)i)) >= 0)
            kernel_detach(k, (size_t)device);
        d->registered = false;
        return 0;
    }
    return -ENOENT;
}
