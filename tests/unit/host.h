/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random hosts and policies, made for many coincidences: few IDs, so that there are identical
 * devices; shared groups, bridges, virtual functions, every driver, every record, and rules that
 * hit them. The same seed makes the same. */
#pragma once

#include "model/records.h"
#include "model/snapshot.h"
#include "policy/policy.h"

struct dice {
    uint64_t state; /* the seed */
};

/* 0 to n - 1. */
unsigned dice_roll(struct dice *d, unsigned n);

#define PICK(dice, array) (array)[dice_roll(dice, ELEMENTS(array))]

/* True in `percent` of 100 cases. */
bool dice_chance(struct dice *d, unsigned percent);

/* Fills an empty snapshot. */
void host_make(struct dice *dice, struct snapshot *s);

/* A policy's text for this host, malloc'ed. It may have errors. */
char *host_policy(struct dice *dice, const struct snapshot *s);

/* Fills empty records for this host. */
void host_records(struct dice *dice, const struct snapshot *s, struct records *r);

/* -- host-vfs.c: physical functions, rules about them and what is remembered of them, added to the
 *    above -- */

void host_add_sriov(struct dice *dice, struct snapshot *s);

/* Takes the other rules, and returns all of them. */
char *host_vfs_policy(struct dice *dice, const struct snapshot *s, char *rules);

void host_vfs_records(struct dice *dice, const struct snapshot *s, struct records *r);
