/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel shows of the PCI devices at one moment, as values. scan.h makes one from /sys.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fact.h"
#include "model/address.h"

#define NO_GROUP UINT32_MAX

/* Whether a device that has no IOMMU group may still get one. */
enum outlook {
    OUTLOOK_NONE,      /* there is no IOMMU for it, as far as can be seen */
    OUTLOOK_AWAITED,   /* the firmware announces one, whose driver is not at work yet */
    OUTLOOK_AT_BIND,   /* its IOMMU is at work, and makes the group when a driver binds it */
    OUTLOOK_NO_DRIVER, /* the firmware announces one, and this kernel has no driver for it */
    OUTLOOK_MAX,
};

struct device {
    struct pci_addr addr;
    uint64_t order; /* devices that came earlier have lower numbers; 0: not known. Another number at
                     * the same address means another device. Not in the text form. */
    uint16_t vendor, device, subvendor, subdevice; /* modalias */
    uint32_t class_code;                           /* 24 bits: base, sub, interface; modalias */

    struct unknown
        unknown;       /* what could not be read; it keeps the value that it had before, if any */
    bool unidentified; /* its IDs were never read: no rule can tell whether it fits */

    /* Known only if `detailed`: details are not read of devices that no rule can concern. */
    bool detailed;
    bool bridge;        /* header type 1 or 2 */
    bool vf;            /* a virtual function of SR-IOV */
    bool has_vfs;       /* a physical function with virtual functions */
    bool autoprobe_off; /* sriov_drivers_autoprobe is 0: no driver takes a virtual function by
                         * itself; read as .vfs_max is */
    uint16_t vfs_max;   /* sriov_totalvfs; 0: none, or nobody asks: only if a rule says how many
                         * virtual functions there are to be, or if there are some */
    uint16_t n_vfs;     /* how many there are; read as .vfs_max is */
    uint16_t vf_number; /* of a virtual function: 1 + its index; 0: not known, or no rule asks */
    struct pci_addr pf; /* the physical function of a virtual one */
    bool boot_display;  /* the firmware shows its messages on it */
    bool node;          /* /dev/vfio/GROUP is there */
    bool noiommu;       /* the node is /dev/vfio/noiommu-GROUP */
    bool fixed;         /* its native driver cannot be unbound (suppress_bind_attrs) */
    bool serial_unread; /* there may be a serial number, and it cannot be known yet */
    uint32_t group;     /* IOMMU group, or NO_GROUP */
    enum outlook iommu; /* if there is no group (viommu.h) */
    const char *driver; /* the driver link's target; NULL: none. Owned by the snapshot. */
    char *pf_slot;      /* of .pf; NULL: as with .slot. Owned by the device. */
    char *slot;         /* physical slot; NULL: none or not looked for. Owned by the device. */
    char *serial;       /* PCIe device serial number as lspci writes it; NULL: as with .slot */
    char *use;          /* how the host uses it (use.h); NULL: no evidence, or not looked for */
    char *evidence;     /* what the host is going to use it for (boot-use.h) */
    char *claimant;     /* who has claimed one of its BARs (bars.h) */
    char *module;       /* of its variant of vfio-pci (modules.h); only if a rule says "auto" */
    char *variant;      /* the driver which that module has registered; NULL: not loaded */
    char *cdev;         /* its own node is /dev/vfio/devices/CDEV; NULL: none */
};

/* A driver of the PCI bus. */
struct registered {
    const char *name; /* owned by the snapshot */
    uint64_t order;   /* those registered earlier have lower numbers; 0: not known */
};

struct snapshot {
    struct device *devices; /* sorted by address */
    size_t n, allocated;
    char **names; /* every driver name, once */
    size_t n_names;
    struct registered *registered; /* the drivers whose registration is over */
    size_t n_registered;
    uint64_t registering;   /* the lowest order of a driver that is still being registered; 0: there
                             * is none */
    bool cold_boot;         /* the host is still coming up */
    bool unsafe_noiommu;    /* vfio.enable_unsafe_noiommu_mode */
    bool iommufd;           /* /dev/iommu is there; looked for while a VFIO driver has a device */
    bool device_nodes;      /* /dev/vfio/devices is there (as with .iommufd) */
    bool unremapped;        /* interrupts are not remapped, and VFIO does not allow that */
    struct unknown unknown; /* about the host as a whole */
};

/* Frees the texts that a device owns. */
void device_done(struct device *d);

void snapshot_done(struct snapshot *s);

/* The device with this address, or NULL. Valid until a device is put or removed. */
struct device *snapshot_find(const struct snapshot *s, struct pci_addr a);

/* Adds a device or replaces the one with its address. Takes ownership of its texts, even on
 * failure. d->driver may point anywhere: the snapshot keeps a copy. Returns 0 or -ENOMEM. */
int snapshot_put(struct snapshot *s, const struct device *d);

/* The same for a device of another snapshot: copies its texts. */
int snapshot_keep(struct snapshot *s, const struct device *d);

/* The first fact that is unknown; FACT_NONE if all is known. *ret_device is the device that it is
 * about, or NULL if it is about the host or nothing is unknown. */
enum fact snapshot_unknown(const struct snapshot *s, const struct device **ret_device,
                           int *ret_error);

/* Like snapshot_put(), for many devices: each address must be new, and they may come in any order.
 * Call snapshot_sort() before anything else. */
int snapshot_append(struct snapshot *s, const struct device *d);
void snapshot_sort(struct snapshot *s);

void snapshot_remove(struct snapshot *s, struct pci_addr a);

/* The snapshot's own copy of a driver name; NULL when out of memory. */
const char *snapshot_name(struct snapshot *s, const char *name);

/* Notes that the kernel knows this driver. Returns 0 or -ENOMEM. */
int snapshot_add_registered(struct snapshot *s, const char *driver, uint64_t order);
bool snapshot_is_registered(const struct snapshot *s, const char *driver);

/* The driver's order (struct registered). 0: not registered, or not known. */
uint64_t snapshot_order(const struct snapshot *s, const char *driver);

/* Can a device that a VFIO driver has be kept from virtual machines while it is unbound? Only by
 * its nodes can it be found out, too, whether one has it: in no-IOMMU mode it cannot. */
bool device_can_be_kept(const struct snapshot *s, const struct device *d);

#define NODE_TEXT_MAX 64

struct node_text {
    char s[NODE_TEXT_MAX];
};

/* The path of its group's node, and that of its own; "" if there is none. */
struct node_text device_group_node(const struct device *d);
struct node_text device_own_node(const struct device *d);

/* Is the driver one of VFIO's (vfio-pci or a variant)? NULL is not. */
bool driver_is_vfio(const char *driver);
