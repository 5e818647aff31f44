/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule: which devices it selects, and how they are treated. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* The keys of a rule. The first eight select: they are tested in this order. */
enum rule_key {
    KEY_ID,
    KEY_CLASS,
    KEY_SUBSYSTEM,
    KEY_ADDRESS,
    KEY_SLOT,
    KEY_VF_OF,
    KEY_VF_INDEX,
    KEY_SERIAL,
    KEY_SELECTS_MAX,
    KEY_DRIVER = KEY_SELECTS_MAX,
    KEY_GROUP,
    KEY_HOTPLUG,
    KEY_INTERFACE,
    KEY_RESET_METHOD,
    KEY_FORCE,
    KEY_EXPECT,
    KEY_RESOURCE,
    KEY_VFS,
    KEY_MAX,
};

const char *rule_key_name(enum rule_key key);

enum group_mode {
    GROUP_FUNCTIONS, /* the other functions of the same slot come along */
    GROUP_ALL,       /* every endpoint of the IOMMU group comes along */
    GROUP_MATCHED,   /* only devices that rules match */
};

enum hotplug_mode {
    HOTPLUG_PREVENT, /* keep native drivers away even before the device appears */
    HOTPLUG_REBIND,  /* write the override when the device appears, and rebind it if necessary */
    HOTPLUG_OFF,     /* leave devices alone that appear later */
};

/* How a virtual machine opens the device. */
enum interface_mode {
    INTERFACE_ANY,     /* any way that this kernel offers */
    INTERFACE_GROUP,   /* through the node of its IOMMU group */
    INTERFACE_IOMMUFD, /* through its own node and /dev/iommu */
    INTERFACE_MAX,
};

const char *interface_word(enum interface_mode m);

/* The vendor:device of a rule. */
struct id_pattern {
    uint16_t vendor;
    uint16_t device;
    bool any_device; /* vendor:* */
};

/* A comma-separated list of globs, in lower case where case has no meaning; a leading '!' negates
 * one. */
struct patterns {
    char **v;
    size_t n;
};

/* The position of a section or key. line 0: not set. */
struct origin {
    uint16_t file; /* index into policy.files */
    unsigned line;
};

struct rule {
    char *name;
    struct origin where;         /* the first section of this name */
    struct origin section;       /* the latest section of this name */
    struct origin keys[KEY_MAX]; /* where each key was set last */
    struct id_pattern *ids;      /* KEY_ID */
    size_t n_ids;
    struct patterns narrow[KEY_SELECTS_MAX]; /* KEY_CLASS to KEY_SERIAL */
    char *driver;   /* never NULL once finished: "vfio-pci", "auto", "native", ... */
    char *resource; /* or NULL */
    enum group_mode group;
    enum hotplug_mode hotplug;
    enum interface_mode interface;
    char *reset_method; /* as the kernel's reset_method has it ("flr bus"), or NULL */
    bool force;
    bool broken;          /* one of its keys has an error; the rule is not used */
    unsigned broken_keys; /* the keys with errors, as bits 1 << enum rule_key */
    int expect;           /* -1: any number */
    int vfs; /* the number of virtual functions that the device is to have; -1: not set */
};

/* The limit of PCI Express: a capability counts them with 16 bits. */
#define VFS_MAX 65535

#define RULE_NAME_MAX 64
#define RESET_METHOD_MAX 56 /* with NUL */

/* Does the rule select the device? Returns -1 if so, otherwise the first key (enum rule_key) that
 * does not match. A rule with "vfs" is about physical functions: KEY_VFS never matches a virtual
 * function. */
int rule_test(const struct rule *r, const struct device *d);

bool rule_is_native(const struct rule *r);

/* Does the rule set the number of virtual functions? */
static inline bool rule_makes_vfs(const struct rule *r)
{
    return r->vfs >= 0;
}

/* Could the rule select virtual functions of this device, as far as is known before they exist? */
bool rule_may_select_vfs_of(const struct rule *r, const struct device *pf);

/* The driver of the rule; NULL for a "native" rule. For "auto" it is vfio-pci: the best variant
 * differs from device to device (snapshot.h), and vfio-pci is used until the variant is loaded. */
const char *rule_target(const struct rule *r);

/* Does the rule name this very device by address, slot or serial number, so that no other can be
 * meant? It does if a positive pattern of one of these keys matches the device and cannot match a
 * second slot: wildcards are allowed only in the function of an address. A virtual function is also
 * named by a "vf-of" that can match only one physical function. */
bool rule_names_device(const struct rule *r, const struct device *d);

/* Does the rule select by addresses only, without ID, slot or serial number? When a card is added,
 * other devices may get these addresses. */
bool rule_trusts_addresses(const struct rule *r);

/* Does the rule name this very device, and not just whatever has its address now? Then the
 * administrator says that the host does not need it. */
bool rule_vouches_for(const struct rule *r, const struct device *d);

/* Does the rule select this device by "VENDOR:*" alone? */
bool rule_names_by_vendor(const struct rule *r, const struct device *d);

bool rule_is_auto(const struct rule *r);

void rule_done(struct rule *r);

/* Removes the patterns of a key. */
void rule_drop_key(struct rule *r, enum rule_key k);

/* Does a key say which devices are meant (not only which are not)? */
bool rule_has_positive(const struct rule *r);

/* Does `wide` select every device that `narrow` could select? True only if that is certain. */
bool rule_covers(const struct rule *wide, const struct rule *narrow);
