/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for other programs: node features for Node Feature Discovery, metrics for Prometheus. The
 * client exports both once, the daemon keeps them current. Pure: the caller supplies the time and
 * writes the files. */
#pragma once

#include <stdio.h>

#include "plan/plan.h"

/* A device that a rule concerns. The strings are not owned. */
struct feature_device {
    const struct device *d; /* d->driver is the driver that has it now */
    const char *rule;       /* the rule's name */
    const char *resource;   /* its name for clusters; NULL: none, or it comes along */
    const char *state;      /* the word for its state */
    int numa_node;          /* -1: none, or not known */
    bool comes_along;
    bool usable;
};

struct features {
    const struct policy *policy; /* for `expect` of its rules; may be NULL */
    struct feature_device *v;    /* in the order of addresses */
    size_t n;
    size_t errors;    /* errors in the policy */
    size_t vfs_wrong; /* physical functions without the virtual functions that the policy wants */
    bool at_work;     /* a daemon is working on pending devices */
    bool ready; /* the actual state is the one of the policy. Set by features_judge(); a caller that
                   knows more (disabled, still starting) clears it. */
};

/* NFD ignores larger files. */
#define FEATURES_SIZE_MAX 65536

/* Makes the features of a plan. They contain pointers into all three arguments. The caller fills in
 * the NUMA nodes. Returns 0 or -ENOMEM. */
int features_of_plan(const struct policy *p, const struct snapshot *s, const struct plan *plan,
                     size_t errors, bool at_work, struct features *ret);
void features_done(struct features *f);

/* For .vfs_wrong. */
size_t features_count_vfs_wrong(const struct snapshot *s, const struct plan *plan, bool at_work);

/* Sets `ready`: no errors, every device in order (device_is_good()), all virtual functions there,
 * every `expect` met by devices that are not released. */
void features_judge(struct features *f);

/* Writes the lines of an NFD feature file: vfio-bindd.ready, and a count for every model that a
 * rule names, even if it is 0. If devices have NUMA nodes, there is also a count for each of their
 * nodes. `expiry` is a time in RFC 3339 format after which NFD drops them; NULL: never. Returns 0,
 * -E2BIG (more than NFD reads), or -EIO from the stream. */
int features_write_nfd(const struct features *f, const char *expiry, FILE *stream);

/* Writes Prometheus' text format. Returns 0 or -EIO from the stream. */
int features_write_prometheus(const struct features *f, FILE *stream);

/* On hosts with a kubelet: appends how many devices kubelet counts for each resource in the text,
 * according to its checkpoint (kubelet.h). Returns 0, -EBADMSG (not a checkpoint; part of the text
 * may have been written), -ENOMEM or -EIO. */
int features_write_counted(const char *metrics, const char *checkpoint, FILE *stream);
