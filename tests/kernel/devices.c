/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kernel_hooks kernel_hooks;

const char *kernel_event_word(enum kernel_event event)
{
    static const char *const words[] = {"add", "bind", "unbind", "remove"};

    return words[event];
}

static void send(enum kernel_event event, size_t device)
{
    if (kernel_hooks.event)
        kernel_hooks.event(event, device, NULL);
}

void kernel_init(struct kernel *k, unsigned version)
{
    memset(k, 0, sizeof(*k));
    k->version = version;
}

size_t kernel_add_device(struct kernel *k, const char *address, const struct pci_id *id, int group,
                         int slot)
{
    struct kernel_device *d = &k->devices[k->n_devices];

    if (k->n_devices == KERNEL_DEVICES_MAX)
        abort();
    *d = (struct kernel_device){.id = *id,
                                .group = group,
                                .slot = slot,
                                .group_is_own = group == NEW_GROUP,
                                .there = slot == NO_SLOT,
                                .matchable = slot == NO_SLOT,
                                .driver = NOBODY,
                                .physical = NO_PHYSICAL,
                                .since = ++k->clock};
    snprintf(d->address, sizeof(d->address), "%s", address);
    return k->n_devices++;
}

int kernel_find(const struct kernel *k, const char *address)
{
    for (size_t i = 0; i < k->n_devices; i++)
        if (k->devices[i].there && strcmp(k->devices[i].address, address) == 0)
            return (int)i;
    return -1;
}

/* -- the override -- */

const char *kernel_override(const struct kernel *k, size_t device)
{
    return k->devices[device].has_override ? k->devices[device].override : "(null)";
}

/* A write of no bytes does not reach the driver core; a line's end or a NUL at the beginning
 * removes the override; anything else is one, up to the first of them: blanks too. */
int kernel_write_override(struct kernel *k, size_t device, const char *text, size_t size)
{
    struct kernel_device *d = &k->devices[device];
    char new[KERNEL_NAME_MAX] = "";

    if (k->injected[CALL_OVERRIDE])
        return -k->injected[CALL_OVERRIDE];
    if (!d->there)
        return -ENOENT;
    if (size == 0)
        return 0;
    if (size >= sizeof(new))
        return -EINVAL; /* the kernel's own limit is a page */
    memcpy(new, text, size);
    new[strcspn(new, "\n")] = '\0';
    if (kernel_hooks.lock)
        kernel_hooks.lock(device);
    memcpy(d->override, new, sizeof(new));
    d->has_override = *new != '\0';
    if (kernel_hooks.unlock)
        kernel_hooks.unlock(device);
    return 0;
}

/* -- coming and going -- */

/* Added first, with an event, and offered to drivers after that: what is written to its override
 * between the two counts, while no driver matches it yet. */
static void add(struct kernel *k, size_t device)
{
    struct kernel_device *d = &k->devices[device];

    d->there = true;
    d->matchable = false;
    d->has_override = false;
    d->driver = NOBODY;
    d->linked = d->bound = false;
    d->since = ++k->clock;
    send(EVENT_ADD, device);
}

static void offer(struct kernel *k, size_t device)
{
    k->devices[device].matchable = true;
    (void)kernel_attach(k, device);
}

void kernel_plug(struct kernel *k, size_t device)
{
    add(k, device);
    offer(k, device);
}

void kernel_unplug(struct kernel *k, size_t device)
{
    struct kernel_device *d = &k->devices[device];

    kernel_detach(k, device);
    d->there = d->matchable = false;
    send(EVENT_REMOVE, device);
}

static bool is_in_slot(const struct kernel *k, size_t device, int slot)
{
    return slot != NO_SLOT && k->devices[device].slot == slot;
}

static int slot_state(const struct kernel *k, int slot, bool *ret_plugged)
{
    bool known = false;

    *ret_plugged = false;
    for (size_t i = 0; i < k->n_devices; i++)
        if (is_in_slot(k, i, slot)) {
            known = true;
            *ret_plugged = *ret_plugged || k->devices[i].there;
        }
    return known ? 0 : -ENXIO;
}

/* Every function is added before the first is offered to a driver. */
int kernel_plug_slot(struct kernel *k, int slot)
{
    bool plugged;
    int r = slot_state(k, slot, &plugged), group = group_lowest_free(k);

    if (r < 0 || plugged)
        return r < 0 ? r : -EEXIST;
    for (size_t i = 0; i < k->n_devices; i++)
        if (is_in_slot(k, i, slot)) {
            if (k->devices[i].group_is_own)
                k->devices[i].group = group;
            add(k, i);
        }
    for (size_t i = 0; i < k->n_devices; i++)
        if (is_in_slot(k, i, slot))
            offer(k, i);
    return 0;
}

int kernel_unplug_slot(struct kernel *k, int slot)
{
    bool plugged;
    int r = slot_state(k, slot, &plugged);

    if (r < 0 || !plugged)
        return r < 0 ? r : -ENODEV;
    for (size_t i = k->n_devices; i-- > 0;)
        if (is_in_slot(k, i, slot))
            kernel_unplug(k, i);
    return 0;
}
