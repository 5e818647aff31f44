/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the plan, shared by plan.c (verdicts), plan/select.c (which devices are concerned) and
 * plan/actions.c (what is to be done). For nobody else. */
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
    struct action *actions;
    size_t n_actions, actions_max;
    const struct fence_entry **removals; /* from the kernel's table, in their order */
    size_t n_removals;
    struct fence wanted;         /* the entries that the policy calls for */
    const struct rule *unfenced; /* the first rule without a fence; NULL: none, or not looked for */
    bool unfenced_known;
    bool any_unproven;       /* is a device refused since nothing proves it unused? */
    struct earlier *earlier; /* native drivers that are asked before vfio-pci, by ID */
    size_t n_earlier, earlier_allocated;
};

const struct device *plan_device_of(const struct builder *b, const struct verdict *v);

/* A device of the snapshot as a number, and its verdict; NULL: none. */
size_t plan_index_of(const struct builder *b, const struct device *d);
struct verdict *plan_verdict_of(const struct builder *b, const struct device *d);

/* The members of a group, as groups_next(), as devices. */
const struct device *plan_next_member(const struct builder *b, uint32_t group, size_t *i);

/* What is known of a device of the snapshot beyond that; NULL: nothing. */
const struct record *plan_record_of(const struct builder *b, const struct device *d);

/* Base class and subclass. */
unsigned plan_class_of(const struct device *d);

/* Could the host live on it although nothing shows that yet while it is booting? */
bool plan_may_carry_host(const struct device *d);

/* The function of its card that would have to come along for the sake of their IOMMU group, but
 * must be named itself, and is not. NULL: none. */
const struct device *plan_unnamed_function(const struct builder *b, const struct verdict *v);

/* Adds a verdict, still without judgement, for every device that a rule names or that comes along.
 */
void plan_select(struct builder *b);

struct action *plan_new_action(struct builder *b);

/* Adds the actions that the verdicts call for, in their order. */
void plan_add_actions(struct builder *b);

/* plan/fence.c: adds the actions that bring the fence's entries into vfio-pci's table; and says of
 * each device with a verdict whether the fence is of any use to it. */
void plan_add_fence(struct builder *b);
void plan_judge_fence(struct builder *b);
