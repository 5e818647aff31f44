/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan while it is being made: what it is made from, and what there is of it so far. Inside of
 * the plan; for nobody else. */
#pragma once

#include "plan/plan.h"

struct builder {
    const struct policy *policy;
    const struct snapshot *snapshot;
    const struct records *records;
    const struct rule **rules;   /* for each device the rule that matches it, or NULL */
    const struct record **known; /* for each device its record, or NULL */
    int *index;                  /* for each device its verdict in .verdicts, or -1 */
    size_t *devices;             /* for each verdict its device in the snapshot */
    struct groups groups;
    struct verdict *verdicts;
    size_t n_verdicts;
    struct vfs_verdict *vfs; /* of physical functions */
    size_t n_vfs;
    bool out_of_memory; /* noticed while .vfs grew: there is no plan */
    struct action *actions;
    size_t n_actions, actions_max;
    struct dynid *dynids; /* those that the actions point to */
    size_t n_dynids, dynids_max;
    const struct dynid_entry **removals; /* to remove from the kernel's table, in this order */
    size_t n_removals;
    struct dynids wanted;              /* the entries that the policy calls for */
    const struct rule *not_preventing; /* first rule without dynamic IDs; NULL: none, or unknown */
    bool not_preventing_known;
    bool any_use_unknown;    /* is a device refused because the host may need it? */
    bool any_refusal;        /* was any device on record refused for that reason, present or not? */
    struct earlier *earlier; /* native drivers that are asked before vfio-pci, by ID */
    size_t n_earlier, earlier_allocated;
};

const struct device *plan_device_of(const struct builder *b, const struct verdict *v);

/* The index of a device in the snapshot, and its verdict; NULL: it has none. */
size_t plan_index_of(const struct builder *b, const struct device *d);
struct verdict *plan_verdict_of(const struct builder *b, const struct device *d);

/* Like groups_next(), but returns devices. */
const struct device *plan_next_member(const struct builder *b, uint32_t group, size_t *i);

/* The record of a device of the snapshot; NULL: there is none. */
const struct record *plan_record_of(const struct builder *b, const struct device *d);

/* Makes room, and finds the records of the devices; false when out of memory. builder_done() is to
 * be called in any case. */
bool builder_init(struct builder *b);
void builder_done(struct builder *b);

/* Adds an action, to be filled in. */
struct action *plan_new_action(struct builder *b);
void plan_add_action(struct builder *b, enum phase phase, enum action_kind kind,
                     const struct device *d, const char *driver);
