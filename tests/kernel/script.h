/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts of operations on devices and drivers, one a line, that are run against the model or
 * against the real kernel; what is printed is to be the same.
 *
 *   override DEVICE TEXT     \n, \0 and \s (blank) in it; without TEXT no byte is written
 *   bind DRIVER DEVICE       unbind DRIVER DEVICE      probe DEVICE
 *   new_id DRIVER FIELDS     remove_id DRIVER FIELDS
 *   load MODULE              unload MODULE
 *   plug SLOT                unplug SLOT
 *   viable DEVICE            what VFIO says of its group
 *   claim DEVICE             its group's DMA for a user of VFIO, until `unclaim`
 *   show                     every device, not only those that have changed
 *
 * DEVICE is a name of the inventory or an address. Each operation is answered with "ok", an errno,
 * or what was asked for; then come the kernel's events, and every device with a name that has
 * changed. */
#pragma once

#include <stdio.h>

#include "kernel.h"

#define OVERRIDE_MAX KERNEL_NAME_MAX

/* What the host has; taken from a real one, and kept as text: a line for each device,
 *
 *   NAME ADDRESS MODALIAS GROUP SLOT DRIVER
 *
 * NAME "-" for a device that scripts do not name, GROUP "new" for one of the slot's own, SLOT and
 * DRIVER "-" for none. */
struct item {
    char name[16], address[16], modalias[80], driver[KERNEL_NAME_MAX];
    int group, slot;
};

struct inventory {
    struct item v[KERNEL_DEVICES_MAX];
    size_t n;
    unsigned version;
};

bool inventory_read(FILE *f, struct inventory *ret);
void inventory_print(const struct inventory *inventory);
const struct item *inventory_named(const struct inventory *inventory, const char *name);
const struct item *inventory_at(const struct inventory *inventory, const char *address);

/* How a device is. */
struct condition {
    bool there, node;
    int group;
    char driver[KERNEL_NAME_MAX];
    char override[OVERRIDE_MAX + 2]; /* as it reads, with its line's end */
};

struct happening {
    enum kernel_event event;
    char address[16];
    char driver[KERNEL_NAME_MAX]; /* of a bind */
};

/* Where a script is run. Negative errno; viable: 1, 0. */
struct backend {
    void (*reset)(const struct inventory *inventory);
    int (*override)(const char *address, const char *text, size_t size);
    int (*bind)(const char *driver, const char *address);
    int (*unbind)(const char *driver, const char *address);
    int (*probe)(const char *address);
    int (*new_id)(const char *driver, const char *text);
    int (*remove_id)(const char *driver, const char *text);
    int (*load)(const char *module);
    int (*unload)(const char *module);
    int (*plug)(int slot);
    int (*unplug)(int slot);
    int (*viable)(const char *address);
    int (*claim)(const char *address);
    void (*unclaim)(void);
    void (*look)(const char *address, struct condition *ret);
    bool (*next_event)(struct happening *ret);
};

extern const struct backend on_model, on_sys;

/* Of this host; plugs and unplugs the slots on the way. */
void sys_inventory(struct inventory *ret);

/* From a defined state on. False: a line that is no operation. */
bool script_run(FILE *script, const struct backend *b, const struct inventory *inventory);

/* The same script for the same seed, everywhere. */
void script_random(unsigned seed, const struct inventory *inventory, FILE *out);
