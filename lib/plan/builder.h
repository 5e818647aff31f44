/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan under construction: its inputs and what has been built so far. Internal to the plan. */
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
    struct dynid *dynids; /* the actions point to these */
    size_t n_dynids, dynids_max;
    const struct dynid_entry **removals; /* to remove from the kernel's table, in this order */
    size_t n_removals;
    struct dynids wanted;              /* the entries that the policy calls for */
    const struct rule *not_preventing; /* first rule without dynamic IDs; NULL: none, or unknown */
    bool not_preventing_known;
    bool any_use_unknown; /* a device is refused because the host may need it */
    bool any_refusal;     /* a device on record was refused for that reason; it may be absent now */
    struct earlier *earlier; /* native drivers that are offered devices before vfio-pci, by ID */
    size_t n_earlier, earlier_allocated;
};

const struct device *plan_device_of(const struct builder *b, const struct verdict *v);

/* The index of a device in the snapshot, and its verdict or NULL. */
size_t plan_index_of(const struct builder *b, const struct device *d);
struct verdict *plan_verdict_of(const struct builder *b, const struct device *d);

/* Like groups_next(), but returns devices. */
const struct device *plan_next_member(const struct builder *b, uint32_t group, size_t *i);

/* The record of a device in the snapshot, or NULL. */
const struct record *plan_record_of(const struct builder *b, const struct device *d);

/* Allocates, and looks up the records of the devices. Returns false if out of memory. Call
 * builder_done() in any case. */
bool builder_init(struct builder *b);
void builder_done(struct builder *b);

/* Appends an empty action. */
struct action *plan_new_action(struct builder *b);
void plan_add_action(struct builder *b, enum phase phase, enum action_kind kind,
                     const struct device *d, const char *driver);
