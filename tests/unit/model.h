/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A model of what the kernel does with a plan's actions, and of what the daemon notes of it. It
 * works on a snapshot and the records, so that planning over them again shows what is left. */
#pragma once

#include "kernel.h"
#include "plan/plan.h"

#define MODEL_DEVICES_MAX 512

struct model {
    struct snapshot *snapshot;
    struct records *records;
    struct {
        struct pci_addr addr;
        const char *driver; /* the snapshot's own copy */
    } overrides[MODEL_DEVICES_MAX];
    size_t n_overrides;
    struct kernel_driver table; /* vfio-pci's dynamic identities, in the kernel's order */
    int remove_error;           /* what writes to remove_id fail with; 0: they do not */
    bool group_nodes;   /* the kernel makes /dev/vfio/GROUP, not only nodes of single devices */
    uint32_t held;      /* the group that is kept open now, or NO_GROUP */
    struct pci_addr at; /* the device of the last action */
    char why[256];      /* what the kernel would not have done */
};

/* Overrides are where the records say so, and on what is on its driver; the plan tells which. */
void model_init(struct model *m, struct snapshot *s, struct records *r, const struct plan *plan);

/* Does the first n actions of the plan. False: an action that the kernel would refuse, or that
 * harms; m->why says which. */
bool model_apply(struct model *m, const struct plan *plan, size_t n);

/* The daemon's events for virtual functions between two plans; `plan` is the later one. */
void model_take_vfs(struct model *m, const struct plan *plan);

/* Where the entry is in the table; how many there are if it is not there. */
size_t model_table_find(const struct model *m, const struct dynid *id);

/* Is all that is in the kernel's table on record, once, and the other way round? m->why says. */
bool model_table_is_on_record(struct model *m);

/* What driver_override of the device holds; NULL: nothing. */
const char *model_override(const struct model *m, struct pci_addr a);
