/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as a value: verdicts and actions. See make.h for how it is made. Pure. */
#pragma once

#include "model/groups.h"
#include "model/records.h"
#include "model/snapshot.h"
#include "model/state.h"
#include "policy/policy.h"

/* Room for a sentence about a plan (text.h, vfs-text.h). */
#define SENTENCE_MAX 512

/* Phases, in this order. The first three cannot reach a native driver's remove(). */
enum __attribute__((packed)) phase {
    PHASE_OVERRIDE, /* every driver_override, before anything else: this wins the race */
    PHASE_BIND,     /* devices without a driver */
    PHASE_DYNIDS,   /* the entries for devices that are plugged in later. No unbound device that
                     * they would match is left by now */
    PHASE_REBIND,   /* devices on a native driver: may take seconds, or block */
    PHASE_VFS,      /* virtual functions are created or removed: may take seconds, or block */
    PHASE_RELEASE,  /* groups that are handed back: may take seconds, or block */
};

struct action {
    enum phase phase;
    enum action_kind kind;
    bool learned, narrowed; /* as in struct dynid_entry, of .dynid */
    bool sets_autoprobe;    /* ACTION_SET_VFS: write sriov_drivers_autoprobe: 0 before they are
                             * created,    1 again when they are gone */
    unsigned vfs;           /* ACTION_SET_VFS: how many; 0: remove ours */
    unsigned vfs_there;     /* ACTION_SET_VFS: how many of ours exist now */
    uint32_t group;         /* after ACTION_HOLD the actions of this group belong together */
    struct pci_addr addr;
    const char *driver;        /* the target driver. ACTION_UNBIND: the driver to unbind from.
                                * ACTION_RESET_METHOD: the methods. ACTION_NATIVE: the previous
                                * driver. ACTION_CLEAR: our override; any other one stays.
                                * ACTION_CHECK: the driver for which somebody else may have written
                                * an override; "": look for users instead. Otherwise "": unknown,
                                * none or any */
    const struct dynid *dynid; /* ACTION_NEW_ID, ACTION_REMOVE_ID, which have no address. Owned by
                                * the plan */
};

struct verdict {
    struct pci_addr addr;
    const struct rule *rule;  /* the rule that matches the device, or its leader */
    const char *driver;       /* the target */
    struct pci_addr leader;   /* comes_along: the device that it accompanies */
    struct pci_addr other;    /* GROUP_MEMBER_REFUSED, FUNCTION_NOT_NAMED: that device;
                               * GROUP_NOT_VIABLE: the first device in the way */
    const char *other_driver; /* GROUP_NOT_VIABLE: the driver of that device */
    int error;                /* RESET_METHOD: errno */
    const char *earlier;      /* DYNAMIC_ID_INEFFECTIVE: the driver that is offered new devices
                               * first; NULL: the write of an entry failed */
    unsigned problems;        /* set of enum problem */
    enum device_state state;
    enum reason reason;
    bool comes_along : 1;    /* no rule matches it */
    bool other_selected : 1; /* GROUP_NOT_VIABLE: .other has a verdict of its own */
    bool usable : 1;         /* bound, the whole group is viable, and the node exists */
};

/* The state of a physical function that should have virtual functions, or has some that we created.
 * The device itself stays on its native driver and has no struct verdict. */
struct vfs_verdict {
    struct pci_addr addr;
    const struct rule *rule;  /* sets the number; NULL: no rule does any longer */
    const struct rule *other; /* VFS_AMBIGUOUS: the earlier rule that contradicts this one */
    struct pci_addr user;     /* IN_USE: the virtual function that the host uses; all 0: used by
                               * something else */
    unsigned wanted, there;
    bool ours;               /* we created those that exist */
    bool waits;              /* a worker is busy with one of them */
    enum device_state state; /* BOUND: it has the wanted number */
    enum reason reason;
};

/* Names of drivers, without duplicates. */
struct plan_names {
    char **v;
    size_t n, allocated;
};

struct plan {
    struct verdict *verdicts; /* in the order of addresses */
    size_t n_verdicts;
    struct vfs_verdict *vfs; /* in the order of addresses */
    size_t n_vfs;
    struct action *actions; /* in the order of execution */
    size_t n_actions;
    struct dynid *dynids; /* the actions point to these */
    struct groups groups;
    struct rules rules;      /* the verdicts point to these */
    struct plan_names names; /* names of drivers, for verdicts and actions */
};

void plan_done(struct plan *p);

/* Frees the actions once they are carried out, or will be planned again. The first pass has
 * many. */
void plan_forget_actions(struct plan *p);

/* Drops the actions of the phases from `first` to `last`. */
void plan_leave_out(struct plan *p, enum phase first, enum phase last);

/* Is the device in order: bound and, on a VFIO driver, usable; or released by an administrator?
 * While the daemon is working (`at_work`), a pending device is in order, too. */
bool device_is_good(enum device_state state, bool usable, const char *driver, bool at_work);

/* Could a function of the device's card be selected by a serial number that is not known yet? Then
 * it is also unknown whether this one has to come along. */
bool plan_is_undecided(const struct policy *p, const struct snapshot *s, const struct device *d);

/* The number of devices that the rule itself matches, as `expect` counts them: without those that
 * come along. */
int plan_count_matched(const struct plan *p, const struct rule *r);

/* Does the rule match another number of devices than it expects? */
bool plan_is_unexpected(const struct plan *p, const struct rule *r);

/* Returns NULL if the device is not selected. */
const struct verdict *plan_find(const struct plan *p, struct pci_addr a);

/* Is it a virtual function that no rule takes, and that no native driver can take because we have
 * disabled sriov_drivers_autoprobe? */
bool plan_vf_is_kept_back(const struct plan *p, const struct snapshot *s, const struct records *r,
                          const struct device *d);

/* Does the device have the wanted number of virtual functions, or is that in progress? */
bool vfs_are_good(const struct vfs_verdict *v, bool booting);

/* Returns NULL if no rule sets its number of virtual functions and it has none of ours. */
const struct vfs_verdict *plan_find_vfs(const struct plan *p, struct pci_addr a);
