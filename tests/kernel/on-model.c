/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts against the model. */
#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct kernel k;
static struct happening happenings[KERNEL_LOG_MAX];
static size_t n_happenings, n_taken;
static int claimed;

static void note_event(enum kernel_event event, size_t device, const char *driver)
{
    struct happening *h = &happenings[n_happenings];

    if (n_happenings == KERNEL_LOG_MAX)
        abort();
    n_happenings++;
    h->event = event;
    strcpy(h->address, k.devices[device].address);
    snprintf(h->driver, sizeof(h->driver), "%s", driver ? driver : "");
}

static bool next_event(struct happening *ret)
{
    if (n_taken == n_happenings) {
        n_taken = n_happenings = 0;
        return false;
    }
    *ret = happenings[n_taken++];
    return true;
}

/* A driver that has devices and is not in the facts has no part in scripts. */
static int driver_of_item(const struct item *item)
{
    const struct driver_kind other = {.name = item->driver};
    const struct driver_kind *kind = fact_of_driver(item->driver);
    int driver = kernel_find_driver(&k, item->driver);

    return driver != NOBODY ? driver : kernel_add_driver(&k, kind ? kind : &other);
}

static void reset(const struct inventory *inventory)
{
    kernel_init(&k, inventory->version);
    kernel_hooks = (struct kernel_hooks){.event = note_event};
    n_taken = n_happenings = 0;
    claimed = NO_IOMMU;
    for (size_t i = 0; i < n_fact_kinds; i++)
        if (!fact_kinds[i].module)
            kernel_add_driver(&k, &fact_kinds[i]);
    for (size_t i = 0; i < inventory->n; i++) {
        const struct item *item = &inventory->v[i];
        struct pci_id id;
        if (!pci_id_of_modalias(item->modalias, &id))
            abort();
        size_t device = kernel_add_device(&k, item->address, &id, item->group, item->slot);
        if (*item->driver)
            kernel_set_driver(&k, device, driver_of_item(item));
    }
}

static int write_override(const char *address, const char *text, size_t size)
{
    int device = kernel_find(&k, address);

    return device < 0 ? -ENOENT : kernel_write_override(&k, (size_t)device, text, size);
}

static int bind_device(const char *driver, const char *address)
{
    return kernel_bind(&k, driver, address);
}

static int unbind_device(const char *driver, const char *address)
{
    return kernel_unbind(&k, driver, address);
}

static int probe(const char *address)
{
    return kernel_drivers_probe(&k, address);
}

static int new_id(const char *driver, const char *text)
{
    return kernel_new_id(&k, driver, text);
}

static int remove_id(const char *driver, const char *text)
{
    return kernel_remove_id(&k, driver, text);
}

static int load(const char *module)
{
    const struct driver_kind *kind = fact_of_module(module);

    return kind ? kernel_load(&k, kind) : -ENOENT;
}

static int unload(const char *module)
{
    return kernel_unload(&k, module);
}

static int plug(int slot)
{
    return kernel_plug_slot(&k, slot);
}

static int unplug(int slot)
{
    return kernel_unplug_slot(&k, slot);
}

static int group_of(const char *address)
{
    int device = kernel_find(&k, address);

    return device < 0 ? NO_IOMMU : k.devices[device].group;
}

static int viable(const char *address)
{
    int group = group_of(address);

    return group_has_node(&k, group) ? group_is_viable(&k, group) : -ENOENT;
}

static int claim(const char *address)
{
    int group = group_of(address), r = group_claim(&k, group);

    if (r == 0)
        claimed = group;
    return r;
}

static void unclaim(void)
{
    group_release(&k, claimed);
    claimed = NO_IOMMU;
}

static void look(const char *address, struct condition *ret)
{
    int device = kernel_find(&k, address);

    if (device < 0)
        return;
    ret->there = true;
    ret->group = k.devices[device].group;
    ret->node = group_has_node(&k, ret->group);
    strcpy(ret->driver, kernel_driver_of(&k, (size_t)device));
    snprintf(ret->override, sizeof(ret->override), "%s\n", kernel_override(&k, (size_t)device));
}

const struct backend on_model = {
    .reset = reset,
    .override = write_override,
    .bind = bind_device,
    .unbind = unbind_device,
    .probe = probe,
    .new_id = new_id,
    .remove_id = remove_id,
    .load = load,
    .unload = unload,
    .plug = plug,
    .unplug = unplug,
    .viable = viable,
    .claim = claim,
    .unclaim = unclaim,
    .look = look,
    .next_event = next_event,
};
