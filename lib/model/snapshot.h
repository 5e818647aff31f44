/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI devices of a host at one moment, as values. scan.h makes a snapshot from /sys. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fact.h"
#include "model/address.h"

#define NO_GROUP UINT32_MAX

/* Whether a device without an IOMMU group may still get one. */
enum outlook {
    OUTLOOK_NONE,      /* it has no IOMMU, as far as can be seen */
    OUTLOOK_AWAITED,   /* the firmware announces one, but its driver does not work yet */
    OUTLOOK_AT_BIND,   /* its IOMMU works, and makes the group when a driver is bound */
    OUTLOOK_NO_DRIVER, /* the firmware announces one, but this kernel has no driver for it */
    OUTLOOK_MAX,
};

struct device {
    struct pci_addr addr;
    uint64_t order; /* devices that appeared earlier have lower numbers; 0: unknown. Another number
                       at the same address means another device. Not in the text form. */
    uint16_t vendor, device, subvendor, subdevice; /* modalias */
    uint32_t class_code;                           /* 24 bits: base, sub, interface; modalias */

    struct unknown
        unknown;       /* facts that could not be read; they keep their earlier values, if any */
    bool unidentified; /* its IDs were never read, so it is unknown which rules match */

    /* The following is known only if `detailed`: details are not read of devices that no rule can
     * concern. */
    bool detailed;
    bool bridge;        /* header type 1 or 2 */
    bool vf;            /* a virtual function of SR-IOV */
    bool has_vfs;       /* a physical function with virtual functions */
    bool autoprobe_off; /* sriov_drivers_autoprobe is 0: no driver takes a virtual function by
                           itself; read like .vfs_max */
    uint16_t vfs_max;   /* sriov_totalvfs; 0: none, or not read: read only if a rule sets the number
                           of virtual functions, or if there are some */
    uint16_t n_vfs;     /* the current number; read like .vfs_max */
    uint16_t vf_number; /* for a virtual function: 1 + its index; 0: unknown, or not needed by any
                           rule */
    struct pci_addr pf; /* for a virtual function: its physical function */
    bool boot_display;  /* the firmware uses it as its display */
    bool node;          /* /dev/vfio/GROUP is there */
    bool noiommu;       /* the node is /dev/vfio/noiommu-GROUP */
    bool fixed;         /* its native driver cannot be unbound (suppress_bind_attrs) */
    bool bars_read;     /* .unassigned was read, or was tried: only of devices on a VFIO driver */
    uint16_t unassigned; /* bit N: BAR N has no address, so the device cannot be opened
                            (bar-addresses.h) */
    bool serial_unread;  /* there may be a serial number, which could not be read yet */
    uint32_t group;      /* IOMMU group, or NO_GROUP */
    enum outlook iommu;  /* if there is no group (viommu.h) */
    const char *driver;  /* the driver link's target; NULL: none. Owned by the snapshot. */
    char *pf_slot;       /* the slot of .pf; NULL: as with .slot. Owned by the device. */
    char *slot;          /* physical slot; NULL: none, or not read. Owned by the device. */
    char *serial;        /* PCIe device serial number as lspci writes it; NULL: as with .slot */
    char *use;           /* how the host uses it (use.h); NULL: no sign of use, or not examined */
    char *evidence;      /* what the host is going to use it for (boot-use.h) */
    char *claimant;      /* what has claimed one of its BARs (bars.h) */
    char *module;  /* the module of its vfio-pci variant (modules.h); only if a rule says "auto" */
    char *variant; /* the driver that this module has registered; NULL: not loaded */
    char *cdev;    /* its own node is /dev/vfio/devices/CDEV; NULL: none */
};

/* A driver of the PCI bus. */
struct registered {
    const char *name; /* owned by the snapshot */
    uint64_t order;   /* drivers that were registered earlier have lower numbers; 0: unknown */
};

struct snapshot {
    struct device *devices; /* sorted by address */
    size_t n, allocated;
    char **names; /* every driver name, without duplicates */
    size_t n_names;
    struct registered *registered; /* drivers whose registration has finished */
    size_t n_registered;
    uint64_t registering;   /* lowest order of a driver being registered; 0: none */
    bool cold_boot;         /* the host is still booting */
    bool unsafe_noiommu;    /* vfio.enable_unsafe_noiommu_mode */
    bool iommufd;           /* /dev/iommu exists; examined while a VFIO driver has a device */
    bool device_nodes;      /* /dev/vfio/devices exists (examined like .iommufd) */
    bool unremapped;        /* interrupts are not remapped, and VFIO does not allow that */
    struct unknown unknown; /* unknown facts about the host as a whole */
};

/* Frees the texts that a device owns. */
void device_done(struct device *d);

void snapshot_done(struct snapshot *s);

/* The device with this address, or NULL. Valid until a device is added or removed. */
struct device *snapshot_find(const struct snapshot *s, struct pci_addr a);

/* Adds a device or replaces the one with its address. Takes ownership of its texts, even on
 * failure. d->driver may point anywhere: the snapshot keeps a copy. Returns 0 or -ENOMEM. */
int snapshot_put(struct snapshot *s, const struct device *d);

/* The same for a device of another snapshot; copies its texts. */
int snapshot_keep(struct snapshot *s, const struct device *d);

/* The first unknown fact; FACT_NONE if everything is known. *ret_device is the device that it is
 * about, or NULL if it is about the host, or nothing is unknown. */
enum fact snapshot_unknown(const struct snapshot *s, const struct device **ret_device,
                           int *ret_error);

/* Like snapshot_put(), for many devices: each address must be new, and they may come in any order.
 * Call snapshot_sort() before anything else. */
int snapshot_append(struct snapshot *s, const struct device *d);
void snapshot_sort(struct snapshot *s);

void snapshot_remove(struct snapshot *s, struct pci_addr a);

/* The snapshot's own copy of a driver name; NULL when out of memory. */
const char *snapshot_name(struct snapshot *s, const char *name);

/* Adds a driver that the kernel has registered. Returns 0 or -ENOMEM. */
int snapshot_add_registered(struct snapshot *s, const char *driver, uint64_t order);
bool snapshot_is_registered(const struct snapshot *s, const char *driver);

/* The driver's order (struct registered). 0: not registered, or unknown. */
uint64_t snapshot_order(const struct snapshot *s, const char *driver);

/* Can a device on a VFIO driver be kept from virtual machines while it is unbound? Its nodes are
 * needed for that, and for finding out whether a virtual machine has it; in no-IOMMU mode neither
 * is possible. */
bool device_can_be_kept(const struct snapshot *s, const struct device *d);

#define NODE_TEXT_MAX 64

struct node_text {
    char s[NODE_TEXT_MAX];
};

/* The path of the node of its group, and of its own node; "" if there is none. */
struct node_text device_group_node(const struct device *d);
struct node_text device_own_node(const struct device *d);

/* Is the driver one of VFIO's (vfio-pci or a variant)? False for NULL. */
bool driver_is_vfio(const char *driver);
