/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan, as a value: verdicts and actions. make.h makes one. Pure. */
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
    PHASE_BIND,     /* devices that no driver has */
    PHASE_DYNIDS,   /* the entries for devices that are plugged in later. By now no device is left
                     * that the kernel would bind by them */
    PHASE_REBIND,   /* devices that a native driver has: may take seconds, or block */
    PHASE_VFS,      /* virtual functions are made or taken away: may take seconds, or block */
    PHASE_RELEASE,  /* groups that are handed back: may take seconds, or block */
};

struct action {
    enum phase phase;
    enum action_kind kind;
    bool learned, narrowed; /* as in struct dynid_entry, of .dynid */
    bool fence;         /* ACTION_SET_VFS: write sriov_drivers_autoprobe: 0 before they are made,
                         * or back to 1 when they are gone */
    unsigned vfs;       /* ACTION_SET_VFS: how many; 0: take ours away */
    unsigned vfs_there; /* ACTION_SET_VFS: how many of ours there are now */
    uint32_t group;     /* after ACTION_HOLD the actions of this group belong together */
    struct pci_addr addr;
    const char
        *driver;               /* the target. ACTION_UNBIND: the driver that loses the device.
                                * ACTION_RESET_METHOD: the methods. ACTION_NATIVE: the driver that had it
                                * before. ACTION_CLEAR: our        override; any other stays. ACTION_CHECK:
                                * the        driver on which        somebody else's override may want it; "" looks
                                * for users        instead.        Otherwise "": not known, none, any */
    const struct dynid *dynid; /* ACTION_NEW_ID, ACTION_REMOVE_ID, which have no address; owned by
                                * the plan */
};

struct verdict {
    struct pci_addr addr;
    const struct rule *rule;  /* names the device, or the device with which this one comes along */
    const char *driver;       /* the target */
    struct pci_addr leader;   /* comes_along: the device with which it comes along */
    struct pci_addr other;    /* GROUP_MEMBER_REFUSED, FUNCTION_NOT_NAMED: that device;
                               * GROUP_NOT_VIABLE: the first device in the way */
    const char *other_driver; /* GROUP_NOT_VIABLE: the driver of that device */
    int error;                /* RESET_METHOD: errno */
    const char *earlier;      /* DYNAMIC_ID_INEFFECTIVE: the driver that is offered new devices
                               * first; NULL: the write of an entry failed */
    unsigned problems;        /* set of enum problem */
    enum device_state state;
    enum reason reason;
    bool comes_along : 1;    /* no rule names it */
    bool other_selected : 1; /* GROUP_NOT_VIABLE: .other has a verdict of its own */
    bool usable : 1;         /* bound, the whole group viable, the node there */
};

/* How a physical function stands that is to have virtual ones, or has some that we made. The device
 * itself stays on its native driver, and has no verdict of the other kind. */
struct vfs_verdict {
    struct pci_addr addr;
    const struct rule *rule; /* says how many; NULL: none does any more */
    const struct rule
        *other;           /* VFS_AMBIGUOUS: the rule that comes first and wants something else */
    struct pci_addr user; /* IN_USE by the host: the virtual function that is; all 0: another */
    unsigned wanted, there;
    bool ours;               /* those that are there */
    bool waits;              /* a worker has one of them */
    enum device_state state; /* BOUND: it has as many as it is to have */
    enum reason reason;
};

/* Names of drivers, each once. */
struct plan_names {
    char **v;
    size_t n, allocated;
};

struct plan {
    struct verdict *verdicts; /* in the order of addresses */
    size_t n_verdicts;
    struct vfs_verdict *vfs; /* in the order of addresses */
    size_t n_vfs;
    struct action *actions; /* in the order in which they must be done */
    size_t n_actions;
    struct dynid *dynids; /* those that the actions point to */
    struct groups groups;
    struct rules rules;      /* those that the verdicts point to */
    struct plan_names names; /* the names of drivers that verdicts and actions point to */
};

void plan_done(struct plan *p);

/* Frees the actions, which are many at the first pass, once they are done or are to be planned
 * anew. */
void plan_forget_actions(struct plan *p);

/* Leaves out the actions of some phases, of which `first` is the first and `last` the last. */
void plan_leave_out(struct plan *p, enum phase first, enum phase last);

/* Is the device as it should be: bound and, on a VFIO driver, usable; or released by an
 * administrator? While the daemon is `at_work`, a pending device is as it should be. */
bool device_is_good(enum device_state state, bool usable, const char *driver, bool at_work);

/* Could a function of the device's card be selected by a serial number that is not known yet? Then
 * it is not known either whether this one has to come along. */
bool plan_is_undecided(const struct policy *p, const struct snapshot *s, const struct device *d);

/* How many devices a rule itself matches, as `expect` counts them: without those that come along.
 */
int plan_count_matched(const struct plan *p, const struct rule *r);

/* Does the rule match another number of devices than it expects? */
bool plan_is_unexpected(const struct plan *p, const struct rule *r);

/* NULL: no rule concerns the device. */
const struct verdict *plan_find(const struct plan *p, struct pci_addr a);

/* Is it a virtual function that no driver may take, since we told the kernel so, and that no rule
 * takes either? */
bool plan_vf_is_kept_back(const struct plan *p, const struct snapshot *s, const struct records *r,
                          const struct device *d);

/* Has the device as many virtual functions as it is to have, or is that being worked on? */
bool vfs_are_good(const struct vfs_verdict *v, bool booting);

/* NULL: no rule says how many virtual functions it is to have, and it has none of ours. */
const struct vfs_verdict *plan_find_vfs(const struct plan *p, struct pci_addr a);
