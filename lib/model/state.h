/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The closed sets of words in which vfio-bindd speaks of a device, on the bus, in the journal and
 * in the plan alike. Packed: records and plans have many of them for each device. Pure. */
#pragma once

#include <stdbool.h>

enum __attribute__((packed)) device_state {
    STATE_PENDING,   /* something is still to be done or being done */
    STATE_BOUND,     /* the driver link was read back */
    STATE_REFUSED,   /* protected */
    STATE_BUSY,      /* a native user or a virtual machine holds it */
    STATE_FAILED,    /* the kernel said no, or something it needs is missing */
    STATE_STUCK,     /* a kernel call for it is past its deadline */
    STATE_RELEASED,  /* handed back by an administrator */
    STATE_CONTESTED, /* something else keeps rebinding it */
    STATE_MAX,
};

enum __attribute__((packed)) reason {
    REASON_NONE,
    REASON_BRIDGE,
    REASON_FUNCTION_NOT_NAMED, /* no rule names another function of its card and group, on which the
                                * host may live */
    REASON_UNREADABLE,         /* something that decides could not be read: left as it is */
    REASON_HOST_USE_UNKNOWN,
    REASON_NEEDED_AT_BOOT, /* fstab, crypttab or the kernel command line name it */
    REASON_HOTPLUG_OFF,
    REASON_DRIVER_FIXED, /* the driver that has it cannot be unbound */
    REASON_IN_USE,       /* by the host, or a virtual machine */
    REASON_BOOT_DISPLAY,
    REASON_HAS_VIRTUAL_FUNCTIONS,
    REASON_FLAPS,                /* something else keeps rebinding it */
    REASON_TAKEN_BACK,           /* on vfio-pci again, which took it, or something else did */
    REASON_GROUP_MEMBER_REFUSED, /* another device of its group is refused or in use */
    REASON_NO_IOMMU,
    REASON_IOMMU_AWAITED,  /* the firmware announces one: kept from native drivers until it comes */
    REASON_DRIVER_MISSING, /* the target driver is not registered */
    REASON_OVERRIDE_DENIED, /* the kernel lets nobody write its driver_override */
    REASON_KERNEL_ERROR,    /* with errno and the write that failed */
    REASON_NOT_VERIFIED,    /* the write succeeded, but the driver link does not show it */
    REASON_DEADLINE,
    /* of a physical function that is to have virtual ones */
    REASON_NO_SRIOV,       /* it can have none */
    REASON_TOO_MANY_VFS,   /* not as many as the rule says */
    REASON_VFS_AMBIGUOUS,  /* another rule that names it wants something else */
    REASON_VFS_NOT_OURS,   /* it has others, which somebody else made */
    REASON_NATIVE_AWAITED, /* its native driver, which makes them, does not have it yet */
    REASON_VFS_SHORT,      /* the kernel made fewer */
    REASON_VFS_VANISHED,   /* we made them, and somebody took them away */
    REASON_MAX,
};

/* Bits of a set. */
enum problem {
    PROBLEM_NO_IOMMU = 1 << 0,
    PROBLEM_GROUP_NOT_VIABLE = 1 << 1,
    PROBLEM_NODE_MISSING = 1 << 2,
    PROBLEM_DRIVER_NOT_ADVERTISED = 1 << 4,
    PROBLEM_HOST_USE_UNKNOWN = 1 << 5,
    PROBLEM_DYNAMIC_ID_INEFFECTIVE = 1 << 6, /* a native driver is asked first at hot-plug */
    PROBLEM_BAR_CLAIMED = 1 << 7,            /* the firmware's framebuffer has one of its BARs */
    PROBLEM_EXPECT_MISMATCH = 1 << 8,        /* its rule expects another number of devices */
    PROBLEM_UNREADABLE = 1 << 9,             /* something about it or its group could not be read */
    PROBLEM_INTERRUPTS_NOT_REMAPPED = 1 << 10, /* a guest could raise any interrupt of the host */
    PROBLEM_INTERFACE_MISSING = 1 << 11,  /* not by the node that its rule wants it opened by */
    PROBLEM_NOT_RESPONDING = 1 << 12,     /* it came back dead from its last user */
    PROBLEM_RESET_METHOD = 1 << 13,       /* the kernel refused the rule's reset-method */
    PROBLEM_SWITCH_BY_WILDCARD = 1 << 14, /* an NVSwitch that only "10de:*" names; it is usable */
    PROBLEM_MAX = 1 << 15,
};

enum __attribute__((packed)) action_kind {
    ACTION_OVERRIDE, /* write the target to driver_override */
    ACTION_UNBIND,   /* from the driver that has it */
    ACTION_BIND,     /* to the target */
    ACTION_HOLD,     /* keep the IOMMU group, so that no virtual machine can take it meanwhile */
    ACTION_CLEAR,    /* remove the override */
    ACTION_PROBE,    /* let the kernel look for a driver */
    ACTION_CHECK,    /* look for processes that have the device open, before an unbind */
    ACTION_NATIVE,   /* bind to its native driver by name, past the dynamic IDs */
    ACTION_SET_PLACEHOLDER, /* write an override that no driver has, while entries are written */
    ACTION_CLEAR_PLACEHOLDER,
    ACTION_OFFER,        /* to native drivers that passed it by, by name, past the dynamic IDs */
    ACTION_TEST,         /* whether it still answers */
    ACTION_RESET_METHOD, /* write reset_method, and read it back */
    ACTION_SET_VFS,      /* of a physical function: make so many virtual ones, or take ours away */
    ACTION_RESTORE_AUTOPROBE, /* write its sriov_drivers_autoprobe back */
    ACTION_NEW_ID, /* add a dynamic ID to vfio-pci's table; like the next, not about a device */
    ACTION_REMOVE_ID,
    ACTION_MAX,
};

const char *state_word(enum device_state s);
enum device_state state_parse(const char *word); /* STATE_MAX: no such word */
const char *reason_word(enum reason r);          /* "" for REASON_NONE */
const char *problem_word(enum problem p);

/* Does a device that is refused for this reason go back if a dynamic ID has caught it? The other
 * reasons are about devices that were there before. */
bool reason_sends_back(enum reason r);
const char *action_word(enum action_kind a);

/* Is it about a dynamic ID, not about a device? */
bool action_is_dynid(enum action_kind a);
