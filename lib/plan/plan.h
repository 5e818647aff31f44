/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan, as a value: verdicts and actions. make.h makes one. Pure. */
#pragma once

#include "model/groups.h"
#include "model/records.h"
#include "model/snapshot.h"
#include "model/state.h"
#include "policy/policy.h"

/* Phases, in this order. The first three cannot reach a native driver's remove(). */
enum phase {
    PHASE_OVERRIDE, /* every driver_override, before anything else: that alone wins the race */
    PHASE_BIND,     /* devices that no driver has */
    PHASE_FENCE,    /* wins the race for devices to come. By now the kernel finds none to bind */
    PHASE_TAKEOVER, /* devices that a native driver has: may take seconds, or block */
    PHASE_RELEASE,  /* groups that are handed back: likewise */
};

struct action {
    enum phase phase;
    enum action_kind kind;
    struct pci_addr addr;
    const char *driver; /* the target; for ACTION_UNBIND the driver that loses it; for ACTION_NATIVE
                         * the driver that had it before, if known; else "" */
    uint32_t group;     /* after ACTION_HOLD the actions of this group belong together */
    struct fence_id fence;    /* ACTION_NEW_ID, ACTION_REMOVE_ID, which have no address */
    bool companion, narrowed; /* of that entry: fence.h */
};

struct verdict {
    struct pci_addr addr;
    const struct rule *rule; /* that names it, or whose device it comes along with */
    const char *driver;      /* the target */
    struct pci_addr leader;  /* companion: with this device */
    enum device_state state;
    enum reason reason;
    struct pci_addr other;    /* COMPANION_REFUSED, FUNCTION_NOT_NAMED: which; GROUP_NOT_VIABLE: the
                               * first in the way */
    const char *other_driver; /* GROUP_NOT_VIABLE: what holds that one */
    const char *earlier;      /* FENCE_INEFFECTIVE: the driver that is asked first; NULL: the write
                               * failed */
    unsigned problems;        /* set of enum problem */
    bool companion;           /* it comes along */
    bool other_selected;      /* GROUP_NOT_VIABLE: it has a verdict of its own */
    bool usable;              /* bound, the whole group viable, the node there */
};

/* Names of drivers, each once. */
struct plan_names {
    char **v;
    size_t n, allocated;
};

struct plan {
    struct verdict *verdicts; /* in the order of addresses */
    size_t n_verdicts;
    struct action *actions; /* in the order in which they must be done */
    size_t n_actions;
    struct groups groups;
    struct rules rules;      /* those that the verdicts point to */
    struct plan_names names; /* likewise, of drivers */
};

void plan_done(struct plan *p);

/* Is the device as its rule wants it: bound and, on a VFIO driver, usable; or handed back because
 * an administrator said so? With somebody `at_work` what is pending is no fault yet. */
bool device_is_good(enum device_state state, bool usable, const char *driver, bool at_work);

/* Could a function of the device's card be selected by a serial number that is not known yet? Then
 * that no rule names this one says nothing: it may have to come along. */
bool plan_is_undecided(const struct policy *p, const struct snapshot *s, const struct device *d);

/* How many devices a rule itself matches; companions are not what `expect` counts. */
int plan_count_matched(const struct plan *p, const struct rule *r);

/* NULL: no rule concerns the device. */
const struct verdict *plan_find(const struct plan *p, struct pci_addr a);
