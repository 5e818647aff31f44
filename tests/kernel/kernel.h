/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A model of what the kernel does with PCI devices and their drivers, as far as it shows in /sys:
 * the writes, what they answer, who gets a device, which events are sent, which groups VFIO calls
 * viable. A plain value without pointers of its own, so that it can lie in memory that processes
 * share; one call at a time. tests/lab/scenarios/model compares it with the real kernel, line by
 * line.
 *
 *   table.c    identities, and the table of dynamic ones
 *   drivers.c  who matches, and the calls: bind, unbind, new_id, loading and unloading
 *   devices.c  devices that come and go, and their override
 *   vfs.c      virtual functions
 *   groups.c   IOMMU groups: their numbers, their nodes, who may have their DMA
 *   facts.c    the drivers of the lab's guests */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_DEVICES_MAX 64
#define KERNEL_DRIVERS_MAX 32
#define KERNEL_IDS_MAX 256
#define KERNEL_NAME_MAX 64
#define KERNEL_LOG_MAX 256

#define ANY_ID UINT32_MAX
#define NOBODY (-1)      /* no driver */
#define NO_IOMMU (-1)    /* no group */
#define NEW_GROUP (-2)   /* one of the slot's own, whose number is the lowest that is free */
#define NO_SLOT (-1)     /* cannot be unplugged */
#define NO_PHYSICAL (-1) /* no virtual function */

/* -- what is known beforehand: constant -- */

struct pci_id {
    uint32_t vendor, device, subvendor, subdevice; /* ANY_ID */
    uint32_t class_code, class_mask;
    bool override_only; /* counts only where driver_override names the driver (since 5.16) */
};

/* What a driver is like, whether it is registered or not. */
struct driver_kind {
    const char *name;
    const char *module; /* NULL: built in */
    const struct pci_id *ids;
    size_t n_ids;
    bool is_vfio;       /* makes nodes, and refuses bridges and what has no group */
    bool managed_dma;   /* does not hinder VFIO in its group (driver_managed_dma, since 5.19) */
    bool no_bind_files; /* suppress_bind_attrs */
    bool no_zero_data;  /* none of its identities has driver_data 0, which new_id then refuses */
    int probe_error;    /* what its probe() returns, positive; 0: it succeeds */
};

struct kernel_device {
    char address[16];
    struct pci_id id; /* no ANY_ID in it */
    int group;        /* also NO_IOMMU */
    int slot;
    bool group_is_own; /* NEW_GROUP */
    bool there;
    bool matchable; /* false while the kernel still adds or removes it: no driver matches then */
    int driver; /* index, or NOBODY: from before its probe() runs until its remove() has returned */
    bool linked; /* the link "driver" is there: from before probe() until before remove() */
    bool bound;  /* probe() has returned */
    bool has_override;
    char override[KERNEL_NAME_MAX];
    int physical;              /* of a virtual function: its physical one; NO_PHYSICAL */
    unsigned total_vfs, n_vfs; /* of a physical function */
    bool autoprobe_off;        /* its sriov_drivers_autoprobe is 0 */
    uint64_t since;            /* when it came, and */
    uint64_t bound_at; /* when it was bound: both are orders in which the kernel goes along them */
};

struct kernel_driver {
    struct driver_kind kind;
    bool registered;
    bool attaching; /* still being registered: it is offered the devices, and has no files yet */
    uint64_t since; /* order of registration */
    struct pci_id ids[KERNEL_IDS_MAX];
    size_t n_ids; /* dynamic ones, in the order of the kernel's list */
};

enum kernel_event { EVENT_ADD, EVENT_BIND, EVENT_UNBIND, EVENT_REMOVE };

/* The calls, for injected errors. */
enum kernel_call { CALL_OVERRIDE, CALL_BIND, CALL_UNBIND, CALL_NEW_ID, CALL_REMOVE_ID, CALL_MAX };

struct kernel {
    struct kernel_device devices[KERNEL_DEVICES_MAX];
    size_t n_devices;
    struct kernel_driver drivers[KERNEL_DRIVERS_MAX];
    size_t n_drivers;
    uint64_t clock;
    int claimed[KERNEL_DEVICES_MAX]; /* groups whose DMA a user of VFIO has */
    size_t n_claimed;
    int injected[CALL_MAX]; /* errno that every such call returns without doing anything; 0: none */
    /* KERNEL(6, 1): what differs since is to be told by it. Nothing does so far. */
    unsigned version;
};

#define KERNEL(major, minor) ((unsigned)(major)*1000 + (minor))

/* What the one who uses the model has to do meanwhile; each may be NULL. */
struct kernel_hooks {
    void (*lock)(size_t device);   /* waits for the device's lock, */
    void (*unlock)(size_t device); /* and releases it */
    void (*inside)(size_t device); /* the driver's probe() or remove() runs */
    void (*event)(enum kernel_event event, size_t device,
                  const char *driver); /* NULL: names none */
};
extern struct kernel_hooks kernel_hooks;

const char *kernel_event_word(enum kernel_event event);

/* -- table.c -- */

/* pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00; false for anything else. */
bool pci_id_of_modalias(const char *modalias, struct pci_id *ret);

/* Does the device (whose fields are all given) fit the entry? */
bool pci_id_fits(const struct pci_id *entry, const struct pci_id *device);

/* What is written to new_id and remove_id; returns how many fields there are. */
int pci_id_parse(const char *text, struct pci_id *ret, unsigned long *ret_data);

/* At the list's end. -ENOMEM: no room. */
int dynamic_add(struct kernel_driver *d, const struct pci_id *id);

/* The first in the list's order that has this vendor and device and fits the other fields that are
 * given. -ENODEV: there is none. */
int dynamic_remove(struct kernel_driver *d, const struct pci_id *id);

/* -- devices.c -- */

void kernel_init(struct kernel *k, unsigned version);

/* Returns the index. It is there at once, without a driver or an event, unless it has a slot. */
size_t kernel_add_device(struct kernel *k, const char *address, const struct pci_id *id, int group,
                         int slot);
int kernel_find(const struct kernel *k, const char *address); /* -1 for one that is not there */

/* What driver_override reads. */
const char *kernel_override(const struct kernel *k, size_t device);
int kernel_write_override(struct kernel *k, size_t device, const char *text, size_t size);

/* One device comes, or goes. */
void kernel_plug(struct kernel *k, size_t device);
void kernel_unplug(struct kernel *k, size_t device);

/* All functions of a slot. -EEXIST, -ENODEV, -ENXIO as the lab's module answers. */
int kernel_plug_slot(struct kernel *k, int slot);
int kernel_unplug_slot(struct kernel *k, int slot);

/* -- drivers.c -- */

/* As it was when the model's time begins: no probing. Returns the index. */
int kernel_add_driver(struct kernel *k, const struct driver_kind *kind);
int kernel_find_driver(const struct kernel *k, const char *name); /* a registered one; or NOBODY */

/* The one that the device's link names, or "". */
const char *kernel_driver_of(const struct kernel *k, size_t device);

/* Would the driver be asked for the device? */
bool kernel_matches(const struct kernel *k, int driver, size_t device);

/* By its own table, whatever the override says, and not a VFIO driver? */
bool kernel_is_native(const struct kernel *k, int driver, size_t device);

/* As it was when the model's time begins. */
void kernel_set_driver(struct kernel *k, size_t device, int driver);

/* Registers a driver, and offers it every device that has none. */
int kernel_load(struct kernel *k, const struct driver_kind *kind);

/* The same in three steps, with kernel_offer_all() as the second. False: it is loaded already. */
bool kernel_begin_load(struct kernel *k, const struct driver_kind *kind);
void kernel_end_load(struct kernel *k, const char *driver);

int kernel_unload(struct kernel *k, const char *module);

/* The writes to the files of a driver; -ENOENT: there is no such driver, or no such file. */
int kernel_bind(struct kernel *k, const char *driver, const char *address);
int kernel_unbind(struct kernel *k, const char *driver, const char *address);
int kernel_new_id(struct kernel *k, const char *driver, const char *text);
int kernel_add_id(struct kernel *k, const char *driver,
                  const char *text);                         /* its first half: the entry */
void kernel_offer_all(struct kernel *k, const char *driver); /* its second: who wants a driver */
int kernel_remove_id(struct kernel *k, const char *driver, const char *text);
int kernel_drivers_probe(struct kernel *k, const char *address);

/* Takes the device from whatever driver has it. */
void kernel_detach(struct kernel *k, size_t device);
/* Offers it to every driver, in the order of their registration. */
int kernel_attach(struct kernel *k, size_t device);

/* -- vfs.c -- */

/* This device, which is not there, is a virtual function of that one. */
void kernel_add_vf(struct kernel *k, size_t vf, size_t pf);

/* May no driver have it without an override? */
bool kernel_needs_override(const struct kernel *k, size_t device);

/* The writes to sriov_drivers_autoprobe and sriov_numvfs. */
int kernel_set_autoprobe(struct kernel *k, size_t pf, bool on);
int kernel_set_numvfs(struct kernel *k, size_t pf, unsigned number);

/* -- groups.c -- */

int group_lowest_free(const struct kernel *k);

/* Is there a /dev/vfio/GROUP? */
bool group_has_node(const struct kernel *k, int group);

/* Would VFIO_GROUP_GET_STATUS say viable: has every driver in the group driver-managed DMA? */
bool group_is_viable(const struct kernel *k, int group);

/* VFIO_GROUP_SET_CONTAINER: from then on only drivers with driver-managed DMA can be bound. */
int group_claim(struct kernel *k, int group);
void group_release(struct kernel *k, int group);
bool group_is_claimed(const struct kernel *k, int group);

/* -- facts.c -- */

/* A driver of the lab's guests; NULL. */
const struct driver_kind *fact_of_module(const char *module);
const struct driver_kind *fact_of_driver(const char *name);
extern const struct driver_kind fact_kinds[];
extern const size_t n_fact_kinds;
