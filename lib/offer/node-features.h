/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts for others: node features for Node Feature Discovery, metrics for Prometheus. The client
 * exports both once, the daemon keeps them current. Pure: the caller knows the time and where the
 * text goes. */
#pragma once

#include <stdio.h>

#include "plan/plan.h"

/* One device that a rule concerns. The strings belong to others. */
struct feature_device {
    const struct device *d; /* d->driver is the driver that has it now */
    const char *rule;       /* the rule's name */
    const char
        *resource;     /* what the rule calls it for clusters; NULL: nothing, or it comes along */
    const char *state; /* a state's word */
    int numa_node;     /* -1: none, or not known */
    bool comes_along;
    bool usable;
};

struct features {
    const struct policy *policy; /* for what rules expect; may be NULL */
    struct feature_device *v;    /* in the order of addresses */
    size_t n;
    size_t errors; /* in the policy */
    bool at_work;  /* a daemon is at work on what is pending */
    bool ready;    /* everything is as the policy wants it. features_judge() sets it; a caller that
                    * knows more (disabled, still starting) clears it. */
};

/* NFD ignores a larger file. */
#define FEATURES_SIZE_MAX 65536

/* Makes the features of a plan, with pointers into all three; the NUMA nodes are for the caller to
 * fill in. Returns 0 or -ENOMEM. */
int features_of_plan(const struct policy *p, const struct snapshot *s, const struct plan *plan,
                     size_t errors, bool at_work, struct features *ret);
void features_done(struct features *f);

/* Sets `ready`: no error, every device as it should be (device_is_good()), every `expect` met by
 * devices that are not released. */
void features_judge(struct features *f);

/* The lines of an NFD feature file: vfio-bindd.ready, and a count for every model that a rule
 * names, 0 included; where devices have NUMA nodes, one for each of their nodes. `expiry` is a time
 * by RFC 3339 after which NFD forgets them; NULL: never. Returns 0, -E2BIG (more than NFD reads),
 * or -EIO of the stream. */
int features_write_nfd(const struct features *f, const char *expiry, FILE *stream);

/* Prometheus' text format. Returns 0 or -EIO of the stream. */
int features_write_prometheus(const struct features *f, FILE *stream);

/* What belongs behind such a text where a kubelet runs: how many devices it counts of each resource
 * that the text names, by its checkpoint (kubelet.h). Returns 0, -EBADMSG (it is none; something
 * may have been written), -ENOMEM or -EIO. */
int features_write_counted(const char *metrics, const char *checkpoint, FILE *stream);
