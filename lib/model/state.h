/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states, reasons, problems and actions of a device. Each has one word, which is the same on
 * the bus, in the journal and in the plan. The enums are packed, since records and plans have many
 * of them for each device. Pure. */
#pragma once

#include <stdbool.h>

enum __attribute__((packed)) device_state {
    STATE_PENDING,   /* work is still to be done, or being done */
    STATE_BOUND,     /* the driver link was read after the bind, and is right */
    STATE_REFUSED,   /* protected: it must not be taken */
    STATE_BUSY,      /* the host or a virtual machine is using it */
    STATE_FAILED,    /* the kernel refused, or something is missing that it needs */
    STATE_STUCK,     /* a kernel call for it is past its deadline */
    STATE_RELEASED,  /* handed back by an administrator */
    STATE_CONTESTED, /* something else keeps rebinding it */
    STATE_MAX,
};

enum __attribute__((packed)) reason {
    REASON_NONE,
    REASON_BRIDGE,
    REASON_FUNCTION_NOT_NAMED, /* no rule names another function of its card and group that the host
                                  may depend on */
    REASON_UNREADABLE, /* a fact that matters could not be read; the device is left as it is */
    REASON_HOST_USE_UNKNOWN,
    REASON_NEEDED_AT_BOOT, /* fstab, crypttab or the kernel command line name it */
    REASON_HOTPLUG_OFF,
    REASON_DRIVER_FIXED, /* the driver that has it cannot be unbound */
    REASON_IN_USE,       /* by the host, or a virtual machine */
    REASON_BOOT_DISPLAY,
    REASON_HAS_VIRTUAL_FUNCTIONS,
    REASON_FLAPS,                /* something else keeps rebinding it */
    REASON_TAKEN_BACK,           /* it was handed back, and vfio-pci has it again */
    REASON_GROUP_MEMBER_REFUSED, /* another device of its group is refused or in use */
    REASON_NO_IOMMU,
    REASON_IOMMU_AWAITED,   /* the firmware announces one; native drivers are kept away until it
                               appears */
    REASON_DRIVER_MISSING,  /* the target driver is not registered */
    REASON_OVERRIDE_DENIED, /* the kernel does not let anybody write its driver_override */
    REASON_KERNEL_ERROR,    /* with errno and the write that failed */
    REASON_NOT_VERIFIED,    /* the write succeeded, but the driver link does not show it */
    REASON_DEADLINE,
    /* These are about a physical function that is to have virtual functions. */
    REASON_NO_SRIOV,       /* it does not support them */
    REASON_TOO_MANY_VFS,   /* it does not support as many as the rule says */
    REASON_VFS_AMBIGUOUS,  /* another rule that names it wants something else */
    REASON_VFS_NOT_OURS,   /* it has others, which somebody else made */
    REASON_NATIVE_AWAITED, /* its native driver, which makes them, does not have it yet */
    REASON_VFS_SHORT,      /* the kernel made fewer */
    REASON_VFS_VANISHED,   /* we made them, and somebody removed them */
    REASON_MAX,
};

/* Bits of a set. */
enum problem {
    PROBLEM_NO_IOMMU = 1 << 0,
    PROBLEM_GROUP_NOT_VIABLE = 1 << 1,
    PROBLEM_NODE_MISSING = 1 << 2,
    PROBLEM_DRIVER_NOT_ADVERTISED = 1 << 4,
    PROBLEM_HOST_USE_UNKNOWN = 1 << 5,
    PROBLEM_DYNAMIC_ID_INEFFECTIVE = 1 << 6, /* at hot-plug, a native driver is asked first */
    PROBLEM_BAR_CLAIMED = 1 << 7,            /* the firmware's framebuffer claims one of its BARs */
    PROBLEM_EXPECT_MISMATCH = 1 << 8,        /* its rule expects another number of devices */
    PROBLEM_UNREADABLE = 1 << 9,             /* a fact about it or its group could not be read */
    PROBLEM_INTERRUPTS_NOT_REMAPPED = 1 << 10, /* a guest could raise any interrupt of the host */
    PROBLEM_INTERFACE_MISSING = 1 << 11,       /* it lacks the node that its rule asks for */
    PROBLEM_NOT_RESPONDING = 1 << 12,          /* it did not answer after its last user closed it */
    PROBLEM_RESET_METHOD = 1 << 13,            /* the kernel refused the rule's reset-method */
    PROBLEM_SWITCH_BY_WILDCARD =
        1 << 14, /* an NVSwitch that a rule selects only by "10de:*"; it is usable */
    PROBLEM_BAR_UNASSIGNED = 1 << 15, /* the kernel has no address for one of its BARs */
    PROBLEM_MAX = 1 << 16,
};

/* With one of these a bound device is not usable. */
#define PROBLEMS_FORBID_USE                                                           \
    (PROBLEM_GROUP_NOT_VIABLE | PROBLEM_NODE_MISSING | PROBLEM_NO_IOMMU |             \
     PROBLEM_INTERRUPTS_NOT_REMAPPED | PROBLEM_BAR_CLAIMED | PROBLEM_BAR_UNASSIGNED | \
     PROBLEM_UNREADABLE | PROBLEM_INTERFACE_MISSING | PROBLEM_NOT_RESPONDING |        \
     PROBLEM_RESET_METHOD)

enum __attribute__((packed)) action_kind {
    ACTION_OVERRIDE, /* write the target to driver_override */
    ACTION_UNBIND,   /* unbind from its current driver */
    ACTION_BIND,     /* bind to the target */
    ACTION_HOLD,   /* hold the IOMMU group open, so that no virtual machine can take it meanwhile */
    ACTION_CLEAR,  /* remove the override */
    ACTION_PROBE,  /* let the kernel look for a driver */
    ACTION_CHECK,  /* before an unbind: look for processes that have the device open */
    ACTION_NATIVE, /* bind to its native driver by name, bypassing the dynamic IDs */
    ACTION_SET_PLACEHOLDER, /* an override that matches no driver, while entries are written */
    ACTION_CLEAR_PLACEHOLDER,
    ACTION_OFFER, /* bind by name to native drivers that skipped it, bypassing the dynamic IDs */
    ACTION_TEST,  /* check whether it still answers */
    ACTION_RESET_METHOD, /* write reset_method, and read it back */
    ACTION_SET_VFS, /* of a physical function: create this many virtual functions, or remove ours */
    ACTION_RESTORE_AUTOPROBE, /* restore its sriov_drivers_autoprobe */
    ACTION_NEW_ID, /* add a dynamic ID to vfio-pci's table: not about a device, like the next one */
    ACTION_REMOVE_ID,
    ACTION_MAX,
};

const char *state_word(enum device_state s);
enum device_state state_parse(const char *word); /* STATE_MAX: there is no such word */
const char *reason_word(enum reason r);          /* "" for REASON_NONE */
const char *problem_word(enum problem p);

/* Does a device that is refused for this reason go back if a dynamic ID has caught it? The other
 * reasons apply to devices that were there before. */
bool reason_sends_back(enum reason r);
const char *action_word(enum action_kind a);

/* Is it about a dynamic ID rather than a device? */
bool action_is_dynid(enum action_kind a);
